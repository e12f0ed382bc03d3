from service import create_app, database


def test_the_greeting_needs_no_database(nowhere):
    response = nowhere.get("/")
    assert response.text == "Ram Ram bhai Sareya Ne\n"
    assert response.content_type == "text/plain; charset=utf-8"


def test_a_database_that_is_not_there():
    with create_app("mongodb://127.0.0.1:1/flask-mongo-app").app_context():
        assert database.look() == "Could not connect to MongoDB"
