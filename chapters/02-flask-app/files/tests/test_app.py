from service import create_app, look_for_database


def test_the_greeting():
    response = create_app().test_client().get("/")
    assert response.text == "Ram Ram bhai Sareya Ne\n"
    assert response.content_type == "text/plain; charset=utf-8"


def test_a_database_that_is_not_there():
    # Nothing listens on port 1.
    assert look_for_database("mongodb://127.0.0.1:1/flask-mongo-app") == "Could not connect to MongoDB"
