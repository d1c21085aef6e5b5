"""Requests with and without the token, from accepted and unknown hosts and origins."""

import http.client
import socket

import pytest

from .conftest import TOKEN, running

testclient = pytest.importorskip('starlette.testclient')


@pytest.fixture
def new_client(make_page):
    """A test client without the token."""
    with testclient.TestClient(make_page().app, base_url='http://127.0.0.1:7860') as browser:
        yield browser


@pytest.mark.parametrize('path', ['/', '/api/state', '/static/page.js', '/api/download/results'])
@pytest.mark.parametrize('query', ['', '?token=', '?token=wrong'])
def test_requests_without_the_token_are_refused(new_client, path, query):
    answer = new_client.get(path + query)
    assert answer.status_code == 403
    assert TOKEN not in answer.text


def test_the_link_with_the_token_opens_the_page(new_client):
    assert 'Choose photographs' in new_client.get(f'/?token={TOKEN}').text
    # From now on, the token is in a cookie that scripts cannot read, not in the address.
    answer = new_client.get('/')
    assert 'Choose photographs' in answer.text and TOKEN not in answer.text
    assert new_client.get('/api/state').json()['photographs'] == []


def test_only_the_style_of_the_token_page_is_public(new_client):
    assert new_client.get('/static/token.css').status_code == 200
    assert new_client.get('/static/icon.svg').status_code == 403


def test_cookies_are_not_available_to_scripts_and_other_sites(make_page):
    with testclient.TestClient(make_page().app, base_url='http://127.0.0.1:7860') as browser:
        answer = browser.get(f'/?token={TOKEN}', follow_redirects=False)
        assert answer.status_code == 303
        assert all(word in answer.headers['set-cookie'] for word in ('HttpOnly', 'SameSite=lax'))
        assert TOKEN not in answer.headers['location']


def test_the_token_can_be_switched_off(make_page):
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
def test_unknown_hosts_are_refused(make_page, host, status):
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


def test_every_response_has_the_security_headers(client):
    for path in ('/', '/api/state', '/static/page.js', '/api/photographs/none/view.jpg', '/gone'):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers['content-security-policy']
        assert "frame-ancestors 'none'" in headers['content-security-policy']
        assert headers['x-content-type-options'] == 'nosniff'


@pytest.mark.parametrize('token', [TOKEN, None])
def test_files_outside_of_static_are_not_served(make_page, token):
    paths = (
        '/static/../server.py', '/static/%2e%2e/server.py', '/static/..%2f..%2f..%2fsetup.cfg',
        '/static//etc/hostname', '/etc/hostname', '/../../../etc/hostname',
        '/static/../static/../token.html', '/api/photographs/..%2f..%2fx/view.jpg',
    )  # fmt: skip
    with running(make_page(token=token)) as port:
        for path in paths:  # not with httpx, which resolves '..' before sending
            connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
            connection.request('GET', path)
            status = connection.getresponse().status
            connection.close()
            assert status == (403 if token else 404), path


def test_malformed_cookies_of_other_programs_are_ignored(client):
    # Browsers send the cookies of all ports of a host.
    own = '; '.join(f'{name}={value}' for name, value in client.cookies.items())
    headers = {'cookie': 'x={"a":1}; bare; \x7f"=,;; ' + own}
    client.cookies.clear()
    answer = client.get('/api/state', headers=headers)
    assert answer.status_code == 200 and 'set-cookie' not in answer.headers


def test_error_responses_have_the_security_headers(make_page, monkeypatch):
    page = make_page(token=None)
    monkeypatch.setattr(page.sessions, 'get', None)
    with testclient.TestClient(
        page.app, base_url='http://localhost', raise_server_exceptions=False
    ) as browser:
        answer = browser.get('/api/state')
    assert answer.status_code == 500 and 'content-security-policy' in answer.headers
