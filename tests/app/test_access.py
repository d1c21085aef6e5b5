"""Requests with and without the token, of this machine's names and of foreign ones."""

import http.client
import socket

import pytest

from .conftest import TOKEN, running

testclient = pytest.importorskip('starlette.testclient')


@pytest.fixture
def stranger(make_page):
    with testclient.TestClient(make_page().app, base_url='http://127.0.0.1:7860') as browser:
        yield browser


@pytest.mark.parametrize('path', ['/', '/api/state', '/static/page.js', '/api/download/results'])
@pytest.mark.parametrize('query', ['', '?token=', '?token=wrong'])
def test_nothing_without_the_token(stranger, path, query):
    answer = stranger.get(path + query)
    assert answer.status_code == 403
    assert TOKEN not in answer.text


def test_the_link_with_the_token_opens_the_page(stranger):
    assert 'Choose photographs' in stranger.get(f'/?token={TOKEN}').text
    # A cookie that scripts cannot read has it from now on, and the address does not.
    answer = stranger.get('/')
    assert 'Choose photographs' in answer.text and TOKEN not in answer.text
    assert stranger.get('/api/state').json()['photographs'] == []


def test_the_page_that_asks_for_the_token_has_its_style(stranger):
    assert stranger.get('/static/token.css').status_code == 200
    assert stranger.get('/static/icon.svg').status_code == 403


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(make_page):
    with testclient.TestClient(make_page().app, base_url='http://127.0.0.1:7860') as browser:
        answer = browser.get(f'/?token={TOKEN}', follow_redirects=False)
        assert answer.status_code == 303
        assert all(word in answer.headers['set-cookie'] for word in ('HttpOnly', 'SameSite=lax'))
        assert TOKEN not in answer.headers['location']


def test_no_token_for_those_who_want_none(make_page):
    with testclient.TestClient(make_page(token=None).app, base_url='http://localhost') as browser:
        assert browser.get('/api/state').status_code == 200


@pytest.mark.parametrize(
    ('host', 'status'),
    [
        ('127.0.0.1:7860', 200),
        ('localhost', 200),
        ('LOCALHOST.:80', 200),
        ('[::1]:7860', 200),
        ('192.168.1.7:7860', 200),
        (socket.gethostname(), 200),
        ('plates.lab.example', 200),
        ('evil.example', 403),
        ('127.0.0.1.evil.example:7860', 403),
        ('localhost.evil.example', 403),
        ('', 403),
        ('[::1', 403),
    ],
)
def test_dns_rebinding_is_refused_by_the_host(make_page, host, status):
    page = make_page(token=None, hosts=['plates.lab.example'])
    with testclient.TestClient(page.app) as browser:
        assert browser.get('/api/state', headers={'host': host}).status_code == status


@pytest.mark.parametrize(
    ('headers', 'status'),
    [
        ({'origin': 'http://127.0.0.1:7860'}, 200),
        ({'origin': 'https://127.0.0.1:7860'}, 200),  # behind a proxy with TLS
        ({'origin': 'http://127.0.0.1:8888'}, 403),
        ({'origin': 'https://evil.example'}, 403),
        ({'origin': 'null'}, 403),
        ({'origin': ''}, 403),
        ({'sec-fetch-site': 'same-origin'}, 200),
        ({'sec-fetch-site': 'none'}, 200),
        ({'sec-fetch-site': 'same-site'}, 403),  # another port of this machine
        ({'sec-fetch-site': 'cross-site'}, 403),
    ],
)
def test_other_websites_are_refused(client, headers, status):
    for call in (
        lambda: client.get('/api/state', headers=headers),
        lambda: client.request('DELETE', '/api/photographs', headers=headers),
    ):
        assert call().status_code == status


def test_a_link_on_another_website_may_lead_to_the_page(client):
    assert client.get('/', headers={'sec-fetch-site': 'cross-site'}).status_code == 200


def test_every_answer_forbids_foreign_scripts_and_frames(client):
    for path in ('/', '/api/state', '/static/page.js', '/api/photographs/none/view.jpg', '/gone'):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers['content-security-policy']
        assert "frame-ancestors 'none'" in headers['content-security-policy']
        assert headers['x-content-type-options'] == 'nosniff'


@pytest.mark.parametrize('token', [TOKEN, None])
def test_no_file_of_the_server_is_served(make_page, token):
    paths = (
        '/static/../server.py', '/static/%2e%2e/server.py', '/static/..%2f..%2f..%2fsetup.cfg',
        '/static//etc/hostname', '/etc/hostname', '/../../../etc/hostname',
        '/static/../static/../token.html', '/api/photographs/..%2f..%2fx/view.jpg',
    )  # fmt: skip
    with running(make_page(token=token)) as port:
        for path in paths:  # not httpx, which resolves '..' before it sends
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
            connection.request('GET', path)
            status = connection.getresponse().status
            connection.close()
            assert status == (403 if token else 404), path


def test_malformed_cookies_of_other_programs_change_nothing(client):
    # Browsers send the cookies of all ports of a host.
    own = '; '.join(f'{name}={value}' for name, value in client.cookies.items())
    headers = {'cookie': 'x={"a":1}; bare; \x7f"=,;; ' + own}
    client.cookies.clear()
    answer = client.get('/api/state', headers=headers)
    assert answer.status_code == 200 and 'set-cookie' not in answer.headers


def test_bugs_are_answered_with_the_headers_too(make_page, monkeypatch):
    page = make_page(token=None)
    monkeypatch.setattr(page.sessions, 'get', None)
    with testclient.TestClient(
        page.app, base_url='http://localhost', raise_server_exceptions=False
    ) as browser:
        answer = browser.get('/api/state')
    assert answer.status_code == 500 and 'content-security-policy' in answer.headers
