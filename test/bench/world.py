"""The place in which measurements are made: sealed off from the machine's own configuration, with
a fast API of our own, the sandbox for what needs a token endpoint, and the measuring tools."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import callgrind
from forge import forge

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
TOOLS = BUILD / "bench"
BEARER = "x" * 43
SYPHT_TOKEN_URL = "https://auth.sypht.com/oauth2/token"
DEAF_TO = ("SYPHT_", "CURL_", "SSL_CERT_", "LD_", "GIT_", "XDG_")


def text(path, content, mode=0o600):
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def description(host):
    """What git says of a place on a helper's stdin, from helpers that know bearer tokens."""
    return f"capability[]=authtype\nprotocol=https\nhost={host}\n\n"


class World:
    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="sypht-bench-"))
        self.children = []
        atexit.register(self.close)
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(DEAF_TO) and not name.lower().endswith("_proxy")
        }
        self.env.update(
            HOME=str(self.home),
            LC_ALL="C",
            PATH=f"{BUILD}:{os.environ['PATH']}",
            SYPHT_API_KEY="id:secret",
            SYPHT_CACHE_DIR=str(self.home / "cache"),
        )
        forge(self.env["SYPHT_CACHE_DIR"], SYPHT_TOKEN_URL, "id", BEARER)
        self.ask = text(self.home / "ask", description("api.sypht.com"))
        self.sandbox = None

    def close(self):
        for child in self.children:
            child.terminate()
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- others that take part ----

    def start_api(self):
        """The URL of an API that answers at once; 401 without a bearer token."""
        child = subprocess.Popen([TOOLS / "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.children.append(child)
        origin = f"http://127.0.0.1:{int(child.stdout.readline())}"
        self.env["SYPHT_API_BASE_ENDPOINT"] = origin
        return origin

    def start_sandbox(self):
        """The variables of test/sandbox, and an environment whose user has its usual client."""
        if not self.sandbox:
            directory = self.home / "sandbox"
            subprocess.run([ROOT / "test/sandbox/start", directory, str(os.getpid())], check=True)
            # its values are quoted for a shell
            shell = f"set -a; . {directory}/sandbox.env; env -0"
            lines = subprocess.run(
                ["bash", "-c", shell], env={}, stdout=subprocess.PIPE, check=True, text=True
            ).stdout.split("\0")
            self.sandbox = dict(line.split("=", 1) for line in lines if line.startswith("SANDBOX_"))
        return self.sandbox

    def sandbox_env(self, **more):
        box = self.start_sandbox()
        return dict(
            self.env,
            SYPHT_API_KEY=f"{box['SANDBOX_CLIENT_ID']}:{box['SANDBOX_CLIENT_SECRET']}",
            SYPHT_AUTH_ENDPOINT=box["SANDBOX_TOKEN_URL"],
            SYPHT_CAINFO=box["SANDBOX_CA"],
            CURL_CA_BUNDLE=box["SANDBOX_CA"],
            **more,
        )

    def admin(self, method, lever, json=""):
        box = self.start_sandbox()
        return subprocess.run(
            ["curl", "-qsSf", "-X", method, "--data-binary", json, f"{box['SANDBOX_ADMIN']}/{lever}"],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        ).stdout

    # ---- tools ----

    def run(self, *command, env=None, stdin=None, quiet=False):
        """What a command says on stdout; its fields, as a tool of ours separates them."""
        with open(stdin or os.devnull) as source:
            return subprocess.run(
                [str(word) for word in command],
                env=env or self.env,
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if quiet else None,
                check=True,
                text=True,
            ).stdout

    def race(self, rounds, runners, env=None):
        """runners: name -> words, of which the first ones may be VARIABLE=VALUE or <FILE. Ratios
        are to the first runner."""
        words = []
        for name, command in runners.items():
            words += ["::"] * bool(words) + [name, *map(str, command)]
        results = {}
        for line in self.run(TOOLS / "race", rounds, *words, env=env).splitlines():
            name, *numbers = line.split("\t")
            fields = (
                "runs", "median_us", "q1_us", "q3_us", "min_us", "max_us", "ratio", "memory_kib"
            )
            results[name] = dict(zip(fields, map(float, numbers)))
            if results[name]["runs"] < rounds:
                print(f"bench: {name}: only {numbers[0]} of {rounds} runs ended well", file=sys.stderr)
        return results

    def callgrind(self, *command, stdin=None, **variables):
        """What callgrind says of a command, in an environment of few words, so that it says the
        same everywhere."""
        few = ("HOME", "PATH", "SYPHT_API_KEY", "SYPHT_CACHE_DIR")
        env = {name: self.env[name] for name in few}
        env.update({name: str(value) for name, value in variables.items()})
        out = self.home / "callgrind.out"
        self.run(
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command,
            env=env, stdin=stdin, quiet=True,
        )
        return out

    def instructions(self, *command, stdin=None, **variables):
        return callgrind.total(self.callgrind(*command, stdin=stdin, **variables))

    def added(self, plugin, what, count=200):
        """What the plugin adds to one more call, in calls.c."""
        once, twice = (
            callgrind.guest(self.callgrind(TOOLS / "calls", what, n, LD_PRELOAD=plugin), plugin.name)
            for n in (count, 2 * count)
        )
        return (twice - once) / count
