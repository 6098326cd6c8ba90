// Servers on loopback that keep every byte they are sent, whatever the protocol, and answer just
// well enough to be sent more. TLS is taken off first: what counts is what the far side can read.
import dgram from 'node:dgram';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';

const DNS_ANSWER = Buffer.from('c00c0001000100000001' + '0004' + '7f000001', 'hex');
const TLS_RECORD = 0x16;

// A request and its answer --------------------------------------------------------------------

// The length of the first whole request in text, 0 if it is not whole yet.
function requestLength(text) {
  const head = text.indexOf('\r\n\r\n') + 4;
  if (head < 4) return 0;
  if (/^transfer-encoding: *chunked/im.test(text.slice(0, head))) {
    const end = text.indexOf('0\r\n\r\n', head);
    return end < 0 ? 0 : end + 5;
  }
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= head + length ? head + length : 0;
}

function answerTo(request) {
  const [method, target = '/'] = request.split(' ', 2);
  const url = new URL(target.replace(/^[a-z]+:\/\/[^/]*/, ''), 'http://any');
  const query = (name, otherwise) => url.searchParams.get(name) ?? otherwise;
  const status = query('status', query('to') ? '302' : '200');
  const headers = [...(query('to') ? [`Location: ${query('to')}`] : []),
    ...url.searchParams.getAll('header')];
  const body = method === 'HEAD' ? '' : 'seen\n';

  return [`HTTP/1.1 ${status} So`, ...headers, 'Content-Length: 5', '', body].join('\r\n');
}

// To a question of DNS over HTTPS: every name is 127.0.0.1, and has no other address.
function resolve(request) {
  const question = Buffer.from(request.slice(request.indexOf('\r\n\r\n') + 4), 'latin1');
  const reply = Buffer.concat([question, question.at(-3) === 1 ? DNS_ANSWER : Buffer.of()]);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(question.at(-3) === 1 ? 1 : 0, 6);
  const head = `HTTP/1.1 200 So\r\nContent-Type: application/dns-message\r\nContent-Length: ${reply.length}\r\n\r\n`;
  return head + reply.toString('latin1');
}

// The conversations of other protocols ----------------------------------------------------------

// Each line heard is answered by the first rule that matches it; some replies are the last word.
const LAST = /^(221 bye|\.)$/;

const conversations = {
  ftp: ['220 hello', [/^(USER|PASS)/, '230 in'], [/^PWD/, '257 "/"'], [/^CWD/, '250 done'], [/./, '502 no']],
  smtp: ['220 hello', [/^EHLO/, '250-here\r\n250 AUTH OAUTHBEARER XOAUTH2 PLAIN'], [/^AUTH/, '235 in'],
    [/^DATA/, '354 go on'], [/^QUIT/, '221 bye'], [/./, '250 well']],
  imap: ['* OK hello', [/^(\S+) CAPABILITY/, '* CAPABILITY IMAP4rev1 SASL-IR AUTH=OAUTHBEARER AUTH=XOAUTH2\r\n$1 OK done'],
    [/^(\S+) /, '$1 OK done']],
  pop3: ['+OK hello', [/^CAPA/, '+OK\r\nSASL OAUTHBEARER XOAUTH2\r\n.'], [/^RETR/, '+OK\r\nseen\r\n.'], [/./, '+OK well']],
  dict: ['220 hello', [/^QUIT/, '221 bye'], [/^/, '250 ok']],
  gopher: ['', [/^/, '.']],
};

function converse(send, socket, [hello, ...rules]) {
  let rest = '';
  if (hello) send(`${hello}\r\n`);
  return (text) => {
    const lines = (rest + text).split('\r\n');
    rest = lines.pop();
    for (const line of lines) {
      const [pattern, reply] = rules.find(([each]) => each.test(line)) ?? [/^/, ''];
      send(`${reply.replace('$1', pattern.exec(line)?.[1])}\r\n`);
      if (LAST.test(reply)) socket.end();
    }
  };
}

// Binary protocols: the answers to the messages in turn; what they mean does not matter here.
const messages = {
  ldap: ['300c02010161070a010004000400', '300c02010265070a010004000400'],
  mqtt: ['20020000', '9003000100'],
};

// What is heard -----------------------------------------------------------------------------------

export class Wire {
  constructor(credentials) {
    this.credentials = credentials;
    this.heard = []; // { place, via, bytes, requests }, one a connection
    this.open = 0;
    this.roads = new Map(); // local port of a proxy's connection: the proxy's place
  }

  // Resolves when nobody is connected any more, so that every byte has come in.
  async silence(deadlineMs) {
    for (const end = Date.now() + deadlineMs; this.open > 0 && Date.now() < end;) {
      await new Promise((done) => { setTimeout(done, 10); });
    }
  }

  // Keeps what comes over the socket as sent to place, and passes it to whoever take() returns.
  hear(socket, place, take) {
    const connection = { place, via: null, bytes: '', requests: [] };
    const { remotePort } = socket;
    this.heard.push(connection);
    this.open += 1;
    socket.on('error', () => {});
    socket.on('close', () => { this.open -= 1; });
    const receive = take((text) => socket.writable && socket.write(text, 'latin1'), connection, socket);
    // By then a proxy that stands behind it knows that it is connected.
    socket.once('data', () => {
      connection.via = this.roads.get(remotePort) ?? null;
      this.roads.delete(remotePort);
    });
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      connection.bytes += text;
      receive(text, chunk);
    });
    return connection;
  }

  http(respond = answerTo) {
    return (send, connection) => {
      let rest = '';
      return (text) => {
        rest += text;
        for (let length = requestLength(rest); length > 0; length = requestLength(rest)) {
          const request = rest.slice(0, length);
          rest = rest.slice(length);
          connection.requests.push(request);
          send(respond(request));
        }
      };
    };
  }

  static rtsp(request) {
    return `RTSP/1.0 200 So\r\nCSeq: ${/^cseq: *(\d+)/im.exec(request)?.[1]}\r\nContent-Length: 0\r\n\r\n`;
  }

  // Of HTTP/2 the headers are kept as they were meant; on the wire they are compressed.
  overHttp2(place) {
    const server = http2.createSecureServer(this.credentials);
    server.on('session', (session) => {
      this.open += 1;
      session.on('error', () => {});
      session.on('close', () => { this.open -= 1; });
    });
    server.on('stream', (stream, headers) => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const request = `${headers[':method']} ${headers[':path']} HTTP/2\r\n${lines.join('\r\n')}\r\n\r\n`;
      const to = new URL(headers[':path'], 'http://any').searchParams.get('to');
      this.heard.push({ place, via: null, bytes: request, requests: [request] });
      stream.on('error', () => {});
      stream.respond({ ':status': to ? 302 : 200, ...(to && { location: to }) });
      stream.end('seen\n');
    });
    return server;
  }

  // Everything a proxy is told before it only passes bytes on, and all those bytes too.
  proxy(place) {
    return (send, connection, socket) => {
      let onward = null;
      let rest = '';
      const connect = (host, port, greeting, first) => {
        onward = net.connect(Number(port), host, () => {
          this.roads.set(onward.localPort, place);
          if (greeting) send(greeting);
          if (first) onward.write(first, 'latin1');
        });
        onward.on('error', () => socket.destroy());
        onward.on('data', (chunk) => socket.writable && socket.write(chunk));
        onward.on('end', () => socket.end());
        socket.on('close', () => onward.destroy());
      };
      // Names are not resolved: all are this machine.
      const here = (host) => (net.isIP(host) ? host : '127.0.0.1');
      const socks4 = (bytes) => {
        const address = bytes.subarray(4, 8).join('.');
        if (bytes.length < 9 || bytes.at(-1) !== 0) return;
        connect(address.startsWith('0.0.0.') ? '127.0.0.1' : address, bytes.readUInt16BE(2),
          '\0\x5a\0\0\0\0\0\0');
      };
      const socks5 = (bytes) => {
        if (bytes.length === 2 + bytes[1]) { send('\x05\x00'); rest = ''; return; }
        const host = { 1: () => bytes.subarray(4, 8).join('.'), 4: () => '::1' }[bytes[3]]?.() ?? '127.0.0.1';
        connect(host, bytes.readUInt16BE(bytes.length - 2), '\x05\x00\x00\x01\0\0\0\0\0\0');
      };
      const speaksHttp = () => {
        const length = requestLength(rest);
        if (length === 0) return;
        const [method, target] = rest.split(' ', 2);
        connection.requests.push(rest);
        if (method === 'CONNECT') {
          const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(target);
          connect(here(host), port, 'HTTP/1.1 200 So\r\n\r\n');
        } else if (target.startsWith('http:')) {
          const { hostname, port } = new URL(target);
          connect(here(hostname.replace(/[[\]]/g, '')), port || 80, '', rest.replace(/ http:\/\/[^/]*/, ' '));
        } else send(answerTo(rest));
      };
      return (text, chunk) => {
        if (onward) { onward.write(chunk); return; }
        rest += text;
        const bytes = Buffer.from(rest, 'latin1');
        if (bytes[0] === 4) socks4(bytes);
        else if (bytes[0] === 5) socks5(bytes);
        else speaksHttp();
      };
    };
  }

  // TLS or not, as the first byte says: two places at one port.
  either(place) {
    const secure = this.secure(`${place}-tls`, this.http());
    return net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('readable', () => {
        const first = socket.read(1);
        if (first === null) { socket.destroy(); return; }
        socket.unshift(first);
        if (first[0] === TLS_RECORD) secure.emit('connection', socket);
        else this.hear(socket, place, this.http());
      });
    });
  }

  plain(place, take) {
    return net.createServer((socket) => this.hear(socket, place, take));
  }

  secure(place, take) {
    const server = tls.createServer(this.credentials, (socket) => this.hear(socket, place, take));
    server.on('tlsClientError', () => {});
    return server;
  }

  conversation(place) {
    return this.plain(place, (send, connection, socket) => converse(send, socket, conversations[place]));
  }

  binary(place) {
    return this.plain(place, (send, connection, socket) => {
      const replies = messages[place].map((hex) => Buffer.from(hex, 'hex').toString('latin1'));
      return () => {
        send(replies.shift() ?? '');
        if (replies.length === 0) socket.end();
      };
    });
  }

  // DNS over HTTPS.
  resolver(place) {
    return this.secure(place, this.http(resolve));
  }

  datagrams(place) {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (bytes, { port }) => {
      this.heard.push({ place, via: null, bytes: bytes.toString('latin1'), requests: [] });
      socket.send(Buffer.from('\0\x05\0\x01no\0', 'latin1'), port, '127.0.0.1');
    });
    return socket;
  }
}
