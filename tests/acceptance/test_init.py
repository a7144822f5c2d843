"""Somebody's repository brought under test by `loadstone init` alone."""

import sys
import tomllib

import pytest
from projects import Project

from loadstone.target.clean import clean_state

SERVER = """\
import http.server, json, sys, time

ITEMS = [{"id": number, "name": f"item {number}"} for number in range(1, 30)]
SCHEMA = {"openapi": "3.1.0", "paths": {
    "/items": {"get": {}}, "/items/{id}": {"get": {}}, "/secret": {"get": {}}, "/now": {"get": {}},
    "/start": {"get": {}},
    "/orders": {"post": {}}}}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        path = self.path
        known = {"/openapi.json": SCHEMA, "/items": ITEMS, "/healthz": {"ok": True}}
        status, told = (200, known[path]) if path in known else (404, {})
        if path.startswith("/items/"):
            status, told = 200, ITEMS[int(path[7:]) - 1]
        if path == "/now":
            status, told = 200, {"at": time.perf_counter_ns()}
        if path == "/start":
            status = 302
        if path == "/secret":
            status, told = 403, {}
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 302:
            self.send_header("Location", "now")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
DJANGO = {
    "site/manage.py": 'import os, sys\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
    "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n",
    "site/shop/__init__.py": "",
    "site/shop/settings.py": 'SECRET_KEY = "x"\nROOT_URLCONF = "shop.urls"\nUSE_TZ = True\n'
    'WSGI_APPLICATION = "shop.wsgi.application"\nINSTALLED_APPS = ["django.contrib.contenttypes"]\n'
    'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}\n',
    "site/shop/wsgi.py": "from django.core.wsgi import get_wsgi_application\n"
    "application = get_wsgi_application()\n",
    "site/shop/urls.py": """\
from django.contrib.contenttypes.models import ContentType
from django.http import JsonResponse
from django.urls import include, path, re_path

def kinds(request):
    return JsonResponse([{"id": one.id, "model": one.model} for one in ContentType.objects.all()], safe=False)

def kind(request, pk):
    return JsonResponse({"model": ContentType.objects.get(pk=pk).model})

api = [path("kinds/", kinds), path("kinds/<int:pk>/", kind), re_path(r"^old/(?P<year>[0-9]{4})/$", kinds)]
urlpatterns = [path("api/", include(api)), path("admin/login/", kinds)]
""",
}


@pytest.fixture
def bare(tmp_path):
    """A folder without anything of Loadstone."""
    yield Project(tmp_path)
    clean_state(tmp_path / ".loadstone")


def test_any_server_by_its_command_is_asked_for_its_schema_and_compared_with_itself(bare):
    (bare.folder / "server.py").write_text(SERVER)
    command = f"{sys.executable} server.py {{port}}"
    ran = bare.run("init", "--command", command, "--quiet", "--budget", "30s")
    assert ran.returncode == 0, ran.stderr
    assert "the app was compared with itself" in ran.stdout
    scenario = (bare.folder / "scenarios" / "start.py").read_text()
    assert 'f"/items/{random.choice(known)}"' in scenario
    assert "#   GET /secret: answered 403" in scenario
    assert "#   GET /now: answered 200, and something else each time" in scenario
    assert "#   GET /start: answered 200, and something else each time" in scenario  # where it leads
    told = tomllib.loads((bare.folder / "loadstone.toml").read_text())
    assert told["target"]["health"] == "/healthz"
    assert len(bare.runs()) == 1

    before = (bare.folder / "loadstone.toml").read_text()
    again = bare.run("init", "--command", "other {port}", "--no-check")
    assert again.returncode == 2
    assert "remedy: add --force" in again.stderr
    assert (bare.folder / "loadstone.toml").read_text() == before


def test_packages_that_manage_py_makes_importable_are_so_for_the_server_too(bare, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    for name, text in DJANGO.items():
        path = bare.folder / name.replace("site/shop", "site/src/shop")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    manage = bare.folder / "site" / "manage.py"
    beside = "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'src'))\n"
    manage.write_text(beside + manage.read_text())
    ran = bare.run("init", "--no-check")
    assert ran.returncode == 0, ran.stderr
    command = tomllib.loads((bare.folder / "loadstone.toml").read_text())["target"]["command"]
    assert command[command.index("--pythonpath") + 1] == "src"


def test_a_django_project_is_found_by_its_manage_py(bare, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)  # that of the shop, under other tests
    for name, text in DJANGO.items():
        path = bare.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    ran = bare.run("init", "--no-check")
    assert ran.returncode == 0, ran.stderr
    assert "found Django with shop.settings in site, 3 addresses that read" in ran.stderr
    told = tomllib.loads((bare.folder / "loadstone.toml").read_text())
    assert told["target"]["directory"] == "site"
    assert told["target"]["command"][-1] == "shop.wsgi:application"
    assert told["target"]["env"]["DJANGO_SETTINGS_MODULE"] == "loadstone_settings"
    assert told["data"]["inputs"] == ["site/**/migrations/*.py"]
    assert "from shop.settings import *" in (bare.folder / "site" / "loadstone_settings.py").read_text()
    scenario = (bare.folder / "scenarios" / "start.py").read_text()
    assert 'self.client.get("/api/kinds/", name="/api/kinds/")' in scenario
    assert "#   GET /api/old/{year}/: needs values that nobody gave" in scenario


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "there is no manage.py"),
        (("--command", "serve"), "does not say where the port goes"),
        (("--command", "serve {port}", "--openapi", "none.json"), "there is no "),
    ],
)
def test_what_cannot_be_begun_says_why(bare, words, problem):
    ran = bare.run("init", *words, "--no-check")
    assert ran.returncode == 2
    assert problem in ran.stderr
    assert "remedy: " in ran.stderr
    assert not list(bare.folder.glob("*.toml"))
