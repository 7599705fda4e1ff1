"""The journal on a real PostgreSQL: the contract, and what a network adds to it."""

import threading
from collections.abc import Iterator

import pytest

from figsupport.adapters import postgres as adapter
from figsupport.adapters.postgres import PostgresCases
from figsupport.errors import Busy, Credentials, Misconfigured, Unavailable
from figsupport.ports import Cases, News

from .contracts import CasesContract, a_message
from .standins.postgres import PASSWORD, USER, PostgresServer
from .values import NOW, a_case, a_request


@pytest.fixture
def another(journal: PostgresCases, database_url: str) -> Iterator[PostgresCases]:
    cases = PostgresCases(database_url)
    yield cases
    cases.close()


def name_of(database_url: str) -> str:
    return database_url.rpartition("/")[2]


def cut(postgres: PostgresServer, database_url: str) -> None:
    """End every session with a database, as a broken network does."""
    postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name_of(database_url)}' AND application_name LIKE 'figsupport%'"
    )
    while postgres.sql(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name_of(database_url)}'"):
        pass


class TestPostgresCases(CasesContract):
    @pytest.fixture
    def cases(self, journal: PostgresCases) -> Cases:
        return journal

    @pytest.fixture
    def again(self, another: PostgresCases) -> Cases:
        return another


class TestTheSession:
    def test_a_lost_session_has_lost_its_lock_and_saves_nothing_more(
        self,
        journal: PostgresCases,
        another: PostgresCases,
        postgres: PostgresServer,
        database_url: str,
    ) -> None:
        journal.save(a_case(id="a"), unfinished=True)
        with pytest.raises(Unavailable, match="lock on the case"), journal.lock("a"):
            cut(postgres, database_url)
            with pytest.raises(Unavailable, match="does not answer"):
                journal.save(a_case(id="a", rounds=1), unfinished=True)
            with pytest.raises(Unavailable):  # another was cut off, too
                another.load("a")
            with another.lock("a"):  # the lock is free already
                journal.save(a_case(id="a", rounds=2), unfinished=True)
        saved = journal.load("a")  # opened again, as nothing hung on it
        assert saved is not None
        assert saved.rounds == 0
        with journal.lock("a"):
            pass

    def test_a_transaction_that_is_cut_off_leaves_nothing(
        self, journal: PostgresCases, postgres: PostgresServer, database_url: str
    ) -> None:
        with pytest.raises(Unavailable), journal.database.transaction():
            journal.receive(News((a_message(),), "1"), NOW)
            cut(postgres, database_url)
            journal.set_aside("m1")
        assert journal.watermark() is None
        assert journal.inbox("1001") == ()

    def test_a_lock_is_not_granted_twice_to_one_session(self, journal: PostgresCases) -> None:
        with journal.lock("a"), pytest.raises(Busy), journal.lock("a"):
            pass

    def test_a_lock_is_waited_for(self, journal: PostgresCases, another: PostgresCases) -> None:
        taken, release = threading.Event(), threading.Event()

        def hold() -> None:
            with journal.lock("a"):
                taken.set()
                release.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        taken.wait(10)
        threading.Timer(0.05, release.set).start()
        with another.lock("a", wait=10):
            pass
        holder.join()

    def test_work_begins_on_a_session_that_is_there(
        self, journal: PostgresCases, postgres: PostgresServer, database_url: str
    ) -> None:
        cut(postgres, database_url)
        with journal.lock("a"):
            journal.save(a_case(id="a"), unfinished=True)
        assert journal.due(NOW) == ["a"]

    def test_a_restarted_server_is_found_again(
        self, journal: PostgresCases, postgres: PostgresServer
    ) -> None:
        journal.save(a_case(id="a"), unfinished=True)
        postgres.stop()
        try:
            for _ in range(2):  # the session is lost; no new one is to be had
                with pytest.raises(Unavailable) as told:
                    journal.load("a")
                assert "FIGSUPPORT_DATABASE_URL" in told.value.hint
        finally:
            postgres.start()
        assert journal.load("a") is not None

    def test_threads_share_a_session_one_after_the_other(self, journal: PostgresCases) -> None:
        def work(number: int) -> None:
            with journal.lock(f"case-{number}"):
                journal.save(a_case(id=f"case-{number}"), unfinished=True)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(journal.due(NOW)) == 8

    def test_a_rehearsal_leaves_no_trace(self, journal: PostgresCases, database_url: str) -> None:
        journal.save(a_case(id="a"), unfinished=True)
        rehearsal = PostgresCases(database_url, rehearsing=True)
        with journal.lock("a"), rehearsal.lock("a"):  # nobody is kept waiting
            rehearsal.save(a_case(id="b"), unfinished=True)
            assert rehearsal.due(NOW) == ["a", "b"]
        rehearsal.close()
        assert journal.due(NOW) == ["a"]

    def test_scrubbing_rewrites_the_tables(
        self, journal: PostgresCases, postgres: PostgresServer, database_url: str
    ) -> None:
        def page(table: str) -> object:
            where = f"pg_relation_filenode('figsupport.{table}')"
            return postgres.sql(f"SELECT {where}", name_of(database_url))

        before = [page("cases"), page("inbox")]
        with journal.lock("poll"):
            journal.scrub()
        assert page("cases") not in before
        assert page("inbox") not in before
        rehearsal = PostgresCases(database_url, rehearsing=True)
        rehearsal.scrub()
        rehearsal.close()

    def test_what_clients_write_is_kept_as_it_is(self, journal: PostgresCases) -> None:
        request = a_request(description="\x00 % ? %s \U0001f44d \\", request_id="% ? 'x'")
        journal.save(a_case(id="% ? 'x'", request=request), unfinished=True)
        saved = journal.load("% ? 'x'")
        assert saved is not None
        assert saved.request == request


class TestTheSchema:
    def test_many_open_it_at_once(self, database_url: str) -> None:
        opened: list[PostgresCases] = []

        def open_() -> None:
            opened.append(PostgresCases(database_url))

        threads = [threading.Thread(target=open_) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == 8
        for cases in opened:
            assert cases.open_cases() == []
            cases.close()

    def test_a_newer_one_is_left_alone(
        self, journal: PostgresCases, postgres: PostgresServer, database_url: str
    ) -> None:
        postgres.sql("UPDATE figsupport.version SET number = 99", name_of(database_url))
        with pytest.raises(Misconfigured, match="newer figsupport"):
            PostgresCases(database_url)

    def test_migrations_run_once_in_order(
        self, journal: PostgresCases, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        more = (*adapter._MIGRATIONS, "ALTER TABLE figsupport.cases ADD COLUMN extra TEXT")
        monkeypatch.setattr(adapter, "_MIGRATIONS", more)
        for _ in range(2):
            PostgresCases(database_url).close()
        journal.database.execute("SELECT extra FROM cases")


class TestTheAddress:
    @pytest.mark.parametrize(
        ("user", "password", "database"),
        [
            (USER, "wrong-secret", "postgres"),
            (USER, PASSWORD, "nowhere"),
            ("nobody", "x", "postgres"),
        ],
    )
    def test_a_refusal_names_the_setting_and_no_secret(
        self, postgres: PostgresServer, user: str, password: str, database: str
    ) -> None:
        with pytest.raises(Credentials, match="PostgreSQL refuses us") as told:
            PostgresCases(postgres.url(database, user, password))
        assert "FIGSUPPORT_DATABASE_URL" in told.value.hint
        assert password == "x" or password not in str(told.value)

    def test_a_user_who_may_create_nothing(
        self, postgres: PostgresServer, database_url: str
    ) -> None:
        postgres.sql("CREATE ROLE poor LOGIN PASSWORD 'poor'")
        with pytest.raises(Credentials, match="permission denied") as told:
            PostgresCases(postgres.url(name_of(database_url), "poor", "poor"))
        assert "create a schema" in told.value.hint

    def test_nobody_is_there(self) -> None:
        with pytest.raises(Unavailable, match="Connection refused"):
            PostgresCases("postgresql://u:secret@127.0.0.1:1/x")

    def test_a_pooler_is_refused(self, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A pooler tells its clients process numbers of its own making."""
        monkeypatch.setattr("psycopg.ConnectionInfo.backend_pid", 1)
        with pytest.raises(Misconfigured, match="connection pooler"):
            PostgresCases(database_url)

    def test_it_is_healthy(self, journal: PostgresCases) -> None:
        assert journal.check().ok
        assert journal.check().detail.startswith("PostgreSQL ")
