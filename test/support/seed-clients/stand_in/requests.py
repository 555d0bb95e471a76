"""The part of the library `requests` that the samples use, in case it is not installed."""

import json as text
import urllib.error
import urllib.parse
import urllib.request


class Response:
    def __init__(self, status_code, content):
        self.status_code = status_code
        self.content = content

    def json(self):
        return text.loads(self.content)


def get(url, params=None, headers=None):
    query = "" if params is None else "?" + urllib.parse.urlencode(params)
    asked = urllib.request.Request(url + query, headers=headers or {})
    try:
        with urllib.request.urlopen(asked) as answer:
            return Response(answer.status, answer.read())
    except urllib.error.HTTPError as refusal:
        return Response(refusal.code, refusal.read())
