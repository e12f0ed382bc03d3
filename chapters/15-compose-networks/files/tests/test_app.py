def test_the_greeting_needs_no_database(nowhere):
    response = nowhere.get("/")
    assert response.text == "Ram Ram bhai Sareya Ne\n"
    assert response.content_type == "text/plain; charset=utf-8"
