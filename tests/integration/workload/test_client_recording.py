"""What is recorded of requests, the lean client's and others'."""


def test_what_start_and_stop_send_is_not_recorded(lean, url):
    told = lean.run(url, """
        class Starting(cls):
            def on_start(self):
                self.client.get("/json", name="/start")
            def on_stop(self):
                self.client.get("/json", name="/stop")
            @locust.task
            def work(self):
                self.client.get("/json", name="/work")
                raise locust.exception.StopUser()
        Starting(environment).run()
    """, listen=True)  # fmt: skip
    assert told.outcomes == {("GET /work", "ok"): 1}
    assert [name for _, name, *_ in told.fired] == ["/start", "/work", "/stop"]


def test_a_request_that_was_due_earlier_has_a_lag_once(lean, url):
    told = lean.run(
        url,
        """
        due.set_due(time.perf_counter_ns() - 500_000_000)
        client.get("/json", name="/first")
        client.get("/json", name="/second")
    """,
    )
    lag = {endpoint: lag for endpoint, _, _, _, lag in told.recorded}
    response = {endpoint: largest for endpoint, _, _, largest, _ in told.recorded}
    assert lag["GET /first"] >= 500_000
    assert response["GET /first"] > lag["GET /first"]
    assert lag["GET /second"] == 0


def test_locusts_event_is_fired_for_those_who_listen(lean, url):
    told = lean.run(url, """
        client.get("/json", name="/named", context={"a": 1})
        with client.rename_request("/renamed"):
            client.get("/json")
    """, listen=True)  # fmt: skip
    assert told.fired == [["GET", "/named", 21, "None", {"a": 1}], ["GET", "/renamed", 21, "None", {}]]
    assert told.outcomes == {("GET /named", "ok"): 1, ("GET /renamed", "ok"): 1}


def test_requests_of_other_clients_are_recorded_from_the_event(lean, url):
    told = lean.run(url, """
        def other(base):
            return type("Other", (base,), {"host": user.host, "abstract": False})(environment)
        for base in (locust.HttpUser, locust.FastHttpUser):
            theirs = other(base).client
            due.set_due(time.perf_counter_ns() - 300_000_000)
            theirs.get("/json", name=f"/{base.__name__}")
            theirs.get("/status/503", name=f"/{base.__name__}")
            with theirs.get("/json", name=f"/{base.__name__}", catch_response=True) as answer:
                answer.failure("no")
            with theirs.get("/status/404", name=f"/{base.__name__}", catch_response=True) as answer:
                answer.success()
        def report(took, error):
            event = {"request_type": "SQL", "name": "select", "response_time": took, "exception": error}
            environment.events.request.fire(**event, response_length=0, context={})
        report(12.5, None)
        report(5000, TimeoutError())
    """)  # fmt: skip
    for name in ("GET /HttpUser", "GET /FastHttpUser"):
        counts = {outcome: count for (endpoint, outcome), count in told.outcomes.items() if endpoint == name}
        assert counts == {"ok": 2, "5xx": 1, "check failed": 1}
    lags = {(endpoint, outcome): lag for endpoint, outcome, _, _, lag in told.recorded}
    assert lags["GET /HttpUser", "ok"] >= 300_000
    assert told.outcomes["SQL select", "ok"] == told.outcomes["SQL select", "timeout"] == 1
    times = {(endpoint, outcome): largest for endpoint, outcome, _, largest, _ in told.recorded}
    assert times["SQL select", "ok"] == 12_500
