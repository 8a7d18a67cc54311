// Sends a file into the media folder of the show, and says how far it has come.
import { $ } from "/dom.js";

const SAID_MS = 4000;
let timer = null;

function say(words) {
  $("upload").textContent = words;
  $("upload").hidden = false;
  clearTimeout(timer);
}

// Resolves to {name, kind}; undefined for a file that the show refuses, which is said on the page.
export function upload(file) {
  return new Promise(done => {
    const request = new XMLHttpRequest();   // fetch does not tell how much is sent
    request.open("POST", `/media?name=${encodeURIComponent(file.name)}`);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => say(`${file.name}: ${Math.floor(100 * loaded / total)} %`);
    request.onload = () => {
      const answer = request.response;
      if (request.status === 201) say(`${answer.name} is in the media folder`);
      else dispatchEvent(new CustomEvent("complaint", { detail: answer?.error ?? `${file.name}: ${request.statusText}` }));
      finish(request.status === 201 ? answer : undefined);
    };
    request.onerror = () => {
      dispatchEvent(new CustomEvent("complaint", { detail: `${file.name} was not sent: the connection was lost` }));
      finish(undefined);
    };
    function finish(answer) {
      timer = setTimeout(() => { $("upload").hidden = true; }, answer ? SAID_MS : 0);
      done(answer);
    }
    request.send(file);
  });
}
