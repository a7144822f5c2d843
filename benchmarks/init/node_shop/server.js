// A small server without Python: items in memory, a list and each of them.
const http = require("node:http");

const items = Array.from({ length: 500 }, (_, at) => ({ id: at + 1, name: `item ${at + 1}`, price: at * 0.99 }));

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  const found = pathname.match(/^\/items\/(\d+)$/);
  let [status, told] = [404, { error: "not found" }];
  if (pathname === "/health") [status, told] = [200, { status: "ok" }];
  else if (pathname === "/items") [status, told] = [200, items.slice(0, 50)];
  else if (found && items[found[1] - 1]) [status, told] = [200, items[found[1] - 1]];
  const body = JSON.stringify(told);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
server.keepAliveTimeout = 3_600_000;
server.listen(Number(process.argv[2]), "127.0.0.1");
