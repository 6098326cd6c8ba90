"""What the drills of a fleet play on: the sandbox, a real Redis, and machines.

A machine is a home and a cache of its own and, where we may, a network namespace of its own, in
which there is nothing but a loopback with the ways to the store and to the token endpoint. Those
lead through a relay here, so that a machine can be cut off from the store.
"""
import asyncio
import ctypes
import hashlib
import json
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get('TEST_BUILD', ROOT / 'build'))
PASSWORD = 'drill_passw0rd'
STORE_PORT = 6379
MEASURE = '''
import os, resource, subprocess, sys
code = subprocess.run([sys.argv[1], "token"]).returncode
with open(os.environ["HOME"] + "/peak", "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
'''
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'waited {seconds} s in vain')
        time.sleep(0.01)


class Sandbox:
    """The token server that the suites use, and its levers."""

    def __init__(self, directory):
        subprocess.run([ROOT / 'test/sandbox/start', directory, str(os.getpid())], check=True)
        self.variables = dict(word.split('=', 1) for word in
                              shlex.split((directory / 'sandbox.env').read_text()))
        self.port = int(self.variables['SANDBOX_TOKEN_URL'].split(':')[2].split('/')[0])

    def __getattr__(self, name):
        return self.variables['SANDBOX_' + name.upper()]

    def admin(self, method, lever, value=None):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(f'{self.admin_url}/{lever}', body, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    @property
    def admin_url(self):
        return self.variables['SANDBOX_ADMIN']

    def token_requests(self):
        return self.admin('GET', 'count')['token_requests']

    def reset(self, delay_ms=0, lifetime=None):
        self.admin('POST', 'reset', {})
        if delay_ms:
            self.admin('PUT', 'faults', {'token': {'delay_ms': delay_ms, 'times': 'all'}})
        if lifetime:
            self.admin('PUT', 'lifetime', {'client_id': self.client_id, 'seconds': lifetime})

    def issued(self):
        """Marks of all tokens that were given out since the last reset."""
        with open(self.requests, encoding='utf-8') as journal:
            return {entry.get('token') for entry in map(json.loads, journal)
                    if entry.get('server') == 'token'}

    def stop(self):
        os.kill(int(self.pid), signal.SIGTERM)


def mark(token):
    return hashlib.sha256(token.encode()).hexdigest()[:8]


class Redis:
    """A server of its own on a Unix socket, without a disk."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = directory / 'redis.sock'
        self.process = None
        self.start()

    @staticmethod
    def program():
        # redis-tools holds the server under the name of one of its tools, and starts no service
        for name in ('redis-server', 'valkey-server', 'redis-check-rdb'):
            if path := shutil.which(name):
                return path
        raise FileNotFoundError('there is no Redis; scripts/setup fleet')

    def start(self):
        with open(self.directory / 'redis.log', 'a', encoding='utf-8') as log:
            self.process = subprocess.Popen(
                ['redis-server', '--port', '0', '--unixsocket', str(self.socket), '--save', '',
                 '--dir', str(self.directory), '--maxclients', '12000', '--requirepass', PASSWORD],
                executable=self.program(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.run('PING', check=False).stdout == b'PONG\n')

    def run(self, *words, check=True):
        return subprocess.run(['redis-cli', '-s', self.socket, '--raw', *words], check=check,
                              capture_output=True, timeout=10,
                              env={'PATH': os.environ['PATH'], 'REDISCLI_AUTH': PASSWORD})

    def entry(self):
        return self.run('KEYS', 'sypht:*:token').stdout.decode().strip()

    def commands(self):
        text = self.run('INFO', 'commandstats').stdout.decode()
        return sum(int(line.split('calls=')[1].split(',')[0]) for line in text.splitlines()
                   if line.startswith(('cmdstat_get:', 'cmdstat_set:', 'cmdstat_eval:',
                                       'cmdstat_auth:', 'cmdstat_del:', 'cmdstat_exists:',
                                       'cmdstat_pexpire:')))

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Relay:
    """Carries bytes between listening sockets and where they lead, but for who is cut off."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.cut_off = set()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def serve(self, listener, machine, connect):
        async def pump(reader, writer):
            try:
                while data := await reader.read(65536):
                    while machine in self.cut_off:
                        await asyncio.sleep(0.05)
                    writer.write(data)
                    await writer.drain()
            except OSError:
                pass
            finally:
                writer.close()

        async def accept(reader, writer):
            try:
                far_reader, far_writer = await connect()
            except OSError:
                writer.close()
                return
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

        asyncio.run_coroutine_threadsafe(
            asyncio.start_server(accept, sock=listener, backlog=512), self.loop).result()


def listen_in_new_network(ports):
    """A network namespace with listening sockets on its loopback; None where we may not."""
    result = []

    def make():
        if LIBC.unshare(CLONE_NEWNET) != 0:
            return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            import fcntl
            name = struct.pack('16sh14x', b'lo', 0)
            flags = struct.unpack('16sh14x', fcntl.ioctl(control, SIOCGIFFLAGS, name))[1]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', flags | IFF_UP))
        listeners = [socket.create_server(('127.0.0.1', port), backlog=512) for port in ports]
        result.append((os.open('/proc/thread-self/ns/net', os.O_RDONLY), listeners))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return result[0] if result else (None, None)


class Machine:
    def __init__(self, stage, number):
        self.stage = stage
        self.number = number
        self.home = stage.directory / 'machines' / str(number)
        self.network, listeners = listen_in_new_network([STORE_PORT, stage.sandbox.port])
        if self.network is None:
            self.path = stage.directory / f'{number}.sock'
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self.path))
            listener.listen(512)
            listeners = [listener]
        stage.relay.serve(listeners[0], number,
                          lambda: asyncio.open_unix_connection(stage.redis.socket))
        for listener in listeners[1:]:
            stage.relay.serve(listener, None,
                              lambda: asyncio.open_connection('127.0.0.1', stage.sandbox.port))

    def store(self):
        if self.network is None:
            return f'redis+unix://:{PASSWORD}@{self.path}'
        return f'redis://:{PASSWORD}@127.0.0.1:{STORE_PORT}'

    def reset(self):
        """As on the day it was set up."""
        shutil.rmtree(self.home, ignore_errors=True)
        directory = self.home / '.config/sypht'
        directory.mkdir(parents=True, mode=0o700)
        (directory / 'config').touch(mode=0o600)
        self.configure(self.store())

    def configure(self, store):
        lines = ['[profile sypht]', f'origin = {self.stage.sandbox.api}',
                 f'token_url = {self.stage.sandbox.token_url}']
        lines += [f'shared_store = {store}'] if store else []
        (self.home / '.config/sypht/config').write_text('\n'.join(lines + ['']), encoding='utf-8')

    def run(self, command, stdin, timeout_s=30):
        sandbox = self.stage.sandbox
        environment = {
            'HOME': str(self.home), 'PATH': '/usr/bin:/bin', 'SYPHT_TIMEOUT': str(timeout_s),
            'SYPHT_API_KEY': f'{sandbox.client_id}:{sandbox.client_secret}',
            'SYPHT_CAINFO': sandbox.ca,
        }
        enter = None
        if self.network is not None:
            enter = lambda: LIBC.setns(self.network, CLONE_NEWNET)
        return subprocess.Popen(
            ['sh', '-c', command, BUILD / 'sypht-credential'], stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, preexec_fn=enter,
            start_new_session=True)

    def start(self, gate, timeout_s=30, measured=False):
        """One process that wants a token as soon as the gate is closed behind all of them."""
        if measured:
            return self.run(f'read -r _; exec python3 -c {shlex.quote(MEASURE)} "$0"', gate, timeout_s)
        return self.run('read -r _; exec "$0" token', gate, timeout_s)

    def peak_kb(self):
        """The most memory that any process had when a token was asked for measured."""
        return int((self.home / 'peak').read_text())

    def erase(self, token):
        """As its callers do when an API has refused it."""
        host = self.stage.sandbox.api.removeprefix('https://')
        question = f'capability[]=authtype\nprotocol=https\nhost={host}\ncredential={token}\n\n'
        self.run('exec "$0" erase', subprocess.PIPE).communicate(question.encode())

    def lose_token(self):
        """It is gone from the cache, but not what was seen."""
        for path in self.home.glob('.cache/sypht/*.token'):
            path.unlink()


class Liar:
    """Something that is no Redis, on a Unix socket."""

    def __init__(self, directory, kind):
        self.path = directory / f'{kind}.sock'
        self.url = f'redis+unix://{self.path}'
        self.process = subprocess.Popen([ROOT / 'test/fleet/liar', self.path, kind])
        wait_until(self.path.exists)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Answers:
    """What became of processes that were started together."""

    def __init__(self, processes, started):
        self.started = started
        self.tokens, self.failures, self.times = [], [], []
        self.processes = processes
        self.threads = [threading.Thread(target=self._collect, args=(process,))
                        for process in processes]
        for thread in self.threads:
            thread.start()

    def _collect(self, process):
        out, error = process.communicate()
        self.times.append((time.monotonic() - self.started) * 1000)
        if process.returncode == 0:
            self.tokens.append(out.decode().strip())
        elif process.returncode > 0:  # those that a drill kills are none
            self.failures.append(error.decode().strip())

    def wait(self):
        for thread in self.threads:
            thread.join()
        self.times.sort()
        return self


class Stage:
    def __init__(self, machines):
        self.directory = Path(tempfile.mkdtemp(prefix='fleet.'))
        self.sandbox = Sandbox(self.directory / 'sandbox')
        self.redis = Redis(self.directory)
        self.relay = Relay()
        self.machines = [Machine(self, number) for number in range(machines)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.redis.kill()
        self.sandbox.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def reset(self, **sandbox):
        self.relay.cut_off.clear()
        self.redis.run('FLUSHALL')
        self.redis.run('CONFIG', 'RESETSTAT')
        self.sandbox.reset(**sandbox)
        for machine in self.machines:
            machine.reset()

    def ask(self, machines=None, processes=1, timeout_s=30, measured=False):
        """All at once; the Answers come while time goes on."""
        reader, writer = os.pipe()
        started = [machine.start(reader, timeout_s, measured)
                   for machine in machines or self.machines for _ in range(processes)]
        os.close(reader)
        time.sleep(0.2)
        now = time.monotonic()
        os.close(writer)
        return Answers(started, now)
