import http from "node:http";

// Preloaded by the server: who answers in front of the framework says so in `bellwetherFront` (instrumentation.ts).

const createServer = http.createServer;

http.createServer = (...given) => {
  const listener = given.findLast((each) => typeof each === "function");
  const inFront = (request, response) =>
    globalThis.bellwetherFront?.(request, response) === true ? undefined : listener(request, response);
  return createServer(...given.map((each) => (each === listener && listener ? inFront : each)));
};
