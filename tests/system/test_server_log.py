"""What a server says about its clients: a line of one kind, never a traceback."""

from __future__ import annotations

import asyncio

from streamvace.system.server_log import report_loop_errors, server_log


def test_an_error_of_a_request_is_one_short_line_of_the_servers_kind() -> None:
    said: list[tuple[str, str, str]] = []
    logger = server_log("web", lambda *report: said.append(report))
    try:
        raise ValueError("line one\nline two " + "x" * 9000)
    except ValueError:
        logger.exception("Error handling request from %s", "192.168.1.9")
    [(kind, line, host)] = said
    assert (kind, host) == ("web", "192.168.1.9")
    assert line.startswith("Error handling request from 192.168.1.9: ValueError: line one line two xxx")
    assert len(line) == 200
    logger.debug("not for people")
    assert len(said) == 1


def test_a_full_table_of_descriptors_is_one_line() -> None:
    said: list[tuple[str, str, str]] = []
    loop = asyncio.new_event_loop()
    try:
        report_loop_errors(loop, "web", lambda *report: said.append(report))
        context = {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many open files")}
        loop.call_exception_handler(context)
    finally:
        loop.close()
    assert said == [("web", "socket.accept() out of system resource: OSError: [Errno 24] Too many open files", "")]
