"""The measures. Each is a function of the world that returns rows and curves; budgets stand here
and nowhere else."""

from statistics import median

from forge import forge
from world import BEARER, BUILD, ROOT, SYPHT_TOKEN_URL, TOOLS, description, text

PLUGIN = BUILD / "libsypht-preload.so"
HEADER = f"Authorization: Bearer {BEARER}"


def row(name, value, unit, budget=None, at_least=False, detail=""):
    met = None if budget is None else (value >= budget if at_least else value <= budget)
    return dict(
        name=name, value=round(value, 3), unit=unit, budget=budget,
        at_least=at_least, met=met, detail=detail,
    )


def us(results, *names):
    return ", ".join(f"{name} {results[name]['median_us'] / 1000:.2f} ms" for name in names)


def warm_get(world, effort):
    """The helper beside the least a process can be, and beside its peers."""
    runners = {
        "/bin/true": ["/bin/true"],
        "sypht-credential get": [f"<{world.ask}", BUILD / "sypht-credential", "get"],
        "static glibc": [f"<{world.ask}", TOOLS / "glibc/sypht-credential", "get"],
    }
    stored = text(world.home / "stored", description("peer.example") + "\n")
    text(stored, f"protocol=https\nhost=peer.example\nusername=u\npassword={BEARER}\n\n")
    socket = f"--socket={world.home}/daemon/socket"
    world.run("mkdir", "-m", "700", world.home / "daemon")
    world.run("git", "credential-cache", "--timeout=3600", socket, "store", stdin=stored)
    runners["git credential-cache get"] = [
        f"<{stored}", "git", "credential-cache", socket, "get",
    ]
    results = world.race(effort.rounds(300), runners)
    world.run("git", "credential-cache", socket, "exit")
    helper = results["sypht-credential get"]
    return dict(
        times=results,
        rows=[
            row("warm get / true, musl", results["sypht-credential get"]["ratio"], "×", 0.5,
                detail=us(results, "sypht-credential get", "/bin/true", "git credential-cache get")),
            row("warm get / true, static glibc", results["static glibc"]["ratio"], "×", 1.0),
            row("peak memory of a warm get", int(helper["memory_kib"]), "KiB", 1024),
        ],
    )


def whole_requests(world, effort):
    """curl, by itself and as people have it authorised."""
    url = world.start_api() + "/v1/documents"
    box = world.start_sandbox()
    idiom = (
        f"token=$(curl -qsf --cacert {box['SANDBOX_CA']}"
        f" -u {box['SANDBOX_CLIENT_ID']}:{box['SANDBOX_CLIENT_SECRET']}"
        f" -d grant_type=client_credentials {box['SANDBOX_TOKEN_URL']} | jq -r .access_token);"
        f' exec curl -qsf -H "Authorization: Bearer $token" {url}'
    )
    python = (
        "import sys, requests\n"
        "url, token_url, client, secret, ca, _ = sys.argv[1:]\n"
        "token = requests.post(token_url, auth=(client, secret), verify=ca,"
        " data={'grant_type': 'client_credentials'}).json()['access_token']\n"
        "requests.get(url, headers={'Authorization': 'Bearer ' + token}).raise_for_status()\n"
    )
    substituted = f'exec curl -qsf -H "Authorization: Bearer $(sypht-credential token)" {url}'
    preloaded = {
        "curl -H": [f"LD_PRELOAD={TOOLS}/empty.so", "curl", "-qsf", "-H", HEADER, url],
        "curl, plugin": [f"LD_PRELOAD={PLUGIN}", "curl", "-qsf", url],
    }
    started = {
        "sh -c 'exec curl -H'": ["sh", "-c", f"exec curl -qsf -H '{HEADER}' {url}"],
        "sypht-run curl": ["sypht-run", "curl", "-qsf", url],
        "curl $(sypht-credential token)": ["sh", "-c", substituted],
    }
    slow = {
        "curl token | jq, then curl": ["sh", "-c", idiom],
        "python requests, both": [
            "python3", "-c", python, url, box["SANDBOX_TOKEN_URL"], box["SANDBOX_CLIENT_ID"],
            box["SANDBOX_CLIENT_SECRET"], box["SANDBOX_CA"], "-",
        ],
    }
    results = world.race(effort.rounds(300), preloaded)
    results.update(world.race(effort.rounds(300), started))
    results.update(world.race(effort.rounds(20), slow))
    return dict(
        times=results,
        rows=[
            row("curl, plugin / curl -H", results["curl, plugin"]["ratio"], "×", 1.02,
                detail=us(results, "curl, plugin", "curl -H", "curl token | jq, then curl")),
            row("sypht-run curl / sh -c 'exec curl -H'",
                results["sypht-run curl"]["ratio"], "×", 1.0,
                detail=us(results, "sypht-run curl", "sh -c 'exec curl -H'")),
        ],
    )


def bystanders(world, effort):
    """Processes that have the plugin and no use for it."""
    results = world.race(
        effort.rounds(400),
        {
            "empty .so": [f"LD_PRELOAD={TOOLS}/empty.so", "/bin/true"],
            "plugin": [f"LD_PRELOAD={PLUGIN}", "/bin/true"],
            "a .so that links libcurl": [f"LD_PRELOAD={TOOLS}/linked.so", "/bin/true"],
        },
    )
    empty_ms = results["empty .so"]["median_us"] / 1000
    more = (results["plugin"]["ratio"] - 1) * empty_ms
    linked = (results["a .so that links libcurl"]["ratio"] - 1) * empty_ms
    return dict(
        times=results,
        rows=[row("plugin without libcurl, over an empty .so", more, "ms", 0.1,
                  detail=f"one that links libcurl: {linked:+.1f} ms")],
    )


def instructions(world, effort):
    """Exact, and the same whenever they are counted."""
    del effort
    url = world.start_api() + "/v1/documents"
    api = dict(SYPHT_API_BASE_ENDPOINT=world.env["SYPHT_API_BASE_ENDPOINT"])
    hand = world.instructions("curl", "-qsf", "-H", HEADER, url, LD_PRELOAD=f"{TOOLS}/empty.so", **api)
    plugin = world.instructions("curl", "-qsf", url, LD_PRELOAD=PLUGIN, **api)
    get = world.instructions(BUILD / "sypht-credential", "get", stdin=world.ask)
    true = world.instructions("/bin/true")
    rows = [
        row("instructions of a warm get", get, "", detail=f"/bin/true: {true:,}"),
        row("the same of curl, plugin / curl -H", plugin / hand, "×", 1.02,
            detail=f"{plugin:,} and {hand:,}"),
    ]
    for what, name, budget in (
        ("perform", "instructions added to a warm perform", 1500),
        ("anew", "the same, URL set anew", 1700),
        ("setopt", "instructions added to a setopt", None),
    ):
        rows.append(row(name, round(world.added(PLUGIN, what)), "", budget))
    return dict(rows=rows)


def throughput(world, effort):
    """Requests per second over live connections, native and plugin in turns in one process."""
    url = world.start_api() + "/v1/documents"
    env = dict(world.env, LD_PRELOAD=str(PLUGIN))
    points = []
    for threads in effort.points(1, 2, 4, 8, 16):
        line = world.run(TOOLS / "throughput", threads, effort.rounds(60), url, BEARER, env=env)
        native, plugin, each = map(float, line.split())
        points.append(dict(x=threads, native=native, plugin=plugin, ratio=each))
    last = points[-1]
    return dict(
        rows=[row(f"throughput, {last['x']} threads, plugin / native", last["ratio"], "×", 0.98,
                  at_least=True, detail=f"{last['plugin']:,.0f} and {last['native']:,.0f} a second")],
        curves=[dict(name="throughput, plugin / native", x="threads", unit="×",
                     points=[(point["x"], point["ratio"]) for point in points])],
    )


def herds(world, effort):
    """Processes that start together with nothing in the cache."""
    ask = text(world.home / "ask-sandbox", "")
    points = []
    requests = {}
    for number in effort.points(1, 10, 50, 200, 500, always=200):
        box = world.start_sandbox()
        text(ask, description(box["SANDBOX_API"].removeprefix("https://")))
        env = world.sandbox_env(
            SYPHT_API_BASE_ENDPOINT=box["SANDBOX_API"], SYPHT_CACHE_DIR=str(world.home / f"herd-{number}")
        )
        world.admin("POST", "reset")
        line = world.run(TOOLS / "herd", number, BUILD / "sypht-credential", "get", env=env, stdin=ask)
        milliseconds, failures = map(float, line.split())
        count = world.run("jq", ".token_requests", stdin=text(ask, world.admin("GET", "count")))
        requests[number] = int(count) if not failures else float("inf")
        points.append((number, milliseconds))
    return dict(
        rows=[row("token requests of 200 starting cold together", requests[200], "", 1)],
        curves=[dict(name="cold start until all have a token", x="processes", unit="ms", points=points)],
    )


def cold_mint(world, effort):
    """What a miss costs beside the token request that it cannot do without."""
    box = world.start_sandbox()
    env = world.sandbox_env(SYPHT_API_BASE_ENDPOINT=box["SANDBOX_API"])
    world.admin("POST", "reset")
    bare = (
        f"exec curl -qsf --cacert {box['SANDBOX_CA']} -u {env['SYPHT_API_KEY']}"
        f" -d grant_type=client_credentials {box['SANDBOX_TOKEN_URL']}"
    )
    cold = f"rm -r {world.home}/cold 2>/dev/null; exec sypht-credential token"
    results = world.race(
        effort.rounds(40),
        {
            "bare token request": ["sh", "-c", f"rm -r {world.home}/none 2>/dev/null; {bare}"],
            "cold mint": [f"SYPHT_CACHE_DIR={world.home}/cold", "sh", "-c", cold],
        },
        env=env,
    )
    return dict(
        times=results,
        rows=[row("cold mint / bare curl token request", results["cold mint"]["ratio"],
                  "×", detail=us(results, "cold mint", "bare token request"))],
    )


def renewals(world, effort):
    """A steady load while short-lived tokens come and go, from an endpoint that takes its time:
    nobody waits for it."""
    seconds, lifetime, delay_ms = effort.seconds(40), 15, 1500
    api = world.start_api()
    box = world.start_sandbox()
    env = world.sandbox_env(SYPHT_CACHE_DIR=str(world.home / "renewals"))
    world.admin("POST", "reset")
    world.admin("PUT", "lifetime", f'{{"client_id": "{box["SANDBOX_CLIENT_ID"]}", "seconds": {lifetime}}}')
    world.admin("PUT", "faults", f'{{"token": {{"delay_ms": {delay_ms}, "times": "all"}}}}')
    world.run(BUILD / "sypht-credential", "token", env=env)
    before = int(world.run("jq", ".token_requests", stdin=text(world.home / "count", world.admin("GET", "count"))))

    env["LD_PRELOAD"] = str(PLUGIN)
    out = world.run(TOOLS / "steady", seconds, 4, 5, delay_ms // 2, api + "/v1/documents", env=env)
    head, *tail = [line.split("\t") for line in out.splitlines()]
    requests, middle, _, worst, slow, failures = map(int, head)
    minted = int(world.run("jq", ".token_requests", stdin=text(world.home / "count", world.admin("GET", "count"))))
    world.admin("POST", "reset")
    return dict(
        rows=[
            row("requests that waited half the endpoint's latency", slow + failures, "", 0,
                detail=f"of {requests:,} across {minted - before} renewals; median {middle / 1000:.1f}, "
                       f"slowest {worst / 1000:.0f}, endpoint {delay_ms} ms")
        ],
        curves=[dict(name="slowest request of each second, across renewals", x="second", unit="ms",
                     points=[(int(second), int(slowest) / 1000) for second, slowest in tail])],
    )


def sizes(world, effort):
    """A warm get among many profiles and many tokens."""
    def place(name, profiles, tokens):
        others = "".join(
            f"[profile p{i}]\norigin = https://api{i}.example\ntoken_url = https://auth{i}.example/token\n"
            f"client_id = c{i}\nscope = read:things write:things\n\n"
            for i in range(profiles - 1)
        )
        mine = "[profile mine]\norigin = https://api.mine.example\ntoken_url = https://auth.mine.example/token\nclient_id = me\n"
        config = text(world.home / f"config-{name}", others + mine)
        cache = world.home / f"cache-{name}"
        forge(str(cache), "https://auth.mine.example/token", "me", BEARER)
        for i in range(tokens - 1):
            forge(str(cache), f"https://auth{i}.example/token", f"c{i}", BEARER)
        return [f"<{ask}", f"SYPHT_CONFIG={config}", f"SYPHT_CACHE_DIR={cache}", BUILD / "sypht-credential", "get"]

    ask = text(world.home / "ask-mine", description("api.mine.example"))
    profiles = effort.points(1, 10, 100, 1000)
    tokens = effort.points(1, 100, 10000)
    runners = {"one of each": place("one", 1, 1), "all of each": place("all", 1000, 10000)}
    runners.update({f"{n} profiles": place(f"p{n}", n, 1) for n in profiles})
    runners.update({f"{n} tokens": place(f"t{n}", 1, n) for n in tokens})
    results = world.race(effort.rounds(400), runners)
    return dict(
        times=results,
        rows=[row("warm get, 1,000 profiles and 10,000 tokens / one of each",
                  results["all of each"]["ratio"], "×", 2.5,
                  detail=us(results, "all of each", "one of each"))],
        curves=[
            dict(name="warm get", x="profiles", unit="ms",
                 points=[(n, results[f"{n} profiles"]["median_us"] / 1000) for n in profiles]),
            dict(name="warm get", x="cached tokens", unit="ms",
                 points=[(n, results[f"{n} tokens"]["median_us"] / 1000) for n in tokens]),
        ],
    )


def handles(world, effort):
    """What a handle costs to make, aim and free, others being alive: with the plugin, less without."""
    tool = TOOLS / "calls"
    points = []
    for number in effort.points(100, 1000, 10000, 100000):
        rounds = max(3, effort.rounds(40) // (1 + number // 1000))
        results = world.race(
            rounds, {"plugin": [f"LD_PRELOAD={PLUGIN}", tool, "handles", number], "bare": [tool, "handles", number]}
        )
        more = results["plugin"]["min_us"] - results["bare"]["min_us"]
        points.append((number, more / number))
    return dict(curves=[dict(name="added to making and freeing a handle", x="handles", unit="µs", points=points)])


ALL = (
    ("a warm get beside its peers", warm_get),
    ("whole requests", whole_requests),
    ("processes without libcurl", bystanders),
    ("instructions", instructions),
    ("throughput", throughput),
    ("herds", herds),
    ("a cold mint", cold_mint),
    ("renewals under load", renewals),
    ("many profiles, many tokens", sizes),
    ("many handles", handles),
)
