// osc.js between two pipes: a line of JSON on stdin is sent, what comes back is a line of JSON on stdout.
// Usage: node osc_js_client.js PORT
"use strict";

const readline = require("readline");
const osc = require("osc");

const port = new osc.UDPPort({
    localAddress: "127.0.0.1",
    localPort: 0,
    remoteAddress: "127.0.0.1",
    remotePort: Number(process.argv[2]),
    metadata: true,
});

port.on("message", (message) => console.log(JSON.stringify(message)));
port.on("error", (error) => console.log(JSON.stringify({ error: error.message })));
port.on("ready", () => {
    const lines = readline.createInterface({ input: process.stdin });
    lines.on("line", (line) => port.send(JSON.parse(line)));
    lines.on("close", () => port.close());
});
port.open();
