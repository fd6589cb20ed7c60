// One address for the application and the bridge, as nginx would give them: /ws and /client go to the bridge, all else to
// PHP. Usage: node front.mjs PORT APPLICATION-PORT BRIDGE-PORT, all on 127.0.0.1.
import http from 'node:http';
import net from 'node:net';

const [port, application, bridge] = process.argv.slice(2).map(Number);

const server = http.createServer((request, response) => {
  const target = request.url.startsWith('/client/') ? bridge : application;
  const options = { host: '127.0.0.1', port: target, method: request.method, path: request.url, headers: request.headers };
  const onward = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.writeHead(502).end());
  request.pipe(onward);
});

server.on('upgrade', (request, socket, head) => {
  const onward = net.connect(bridge, '127.0.0.1', () => {
    const headers = request.rawHeaders.flatMap((item, i) => (i % 2 ? [] : [`${item}: ${request.rawHeaders[i + 1]}`]));
    onward.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  const end = () => [socket, onward].forEach((side) => side.destroy());
  for (const side of [socket, onward]) side.on('error', end).on('close', end);
});

server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`));
