"""Contents of .env files."""

# All of these mean the same to Compose: tests/containers/test_env_file.py asks it.
TAKEN = [
    (b"", {}),
    (b"GREETING=Hello", {"GREETING": "Hello"}),
    (b"# PORT=1\n\n  # GREETING=x\n \t\nGREETING=a\n", {"GREETING": "a"}),
    (b"GREETING=a\r\nPORT=3001\r\n", {"GREETING": "a", "PORT": "3001"}),
    (b"\xef\xbb\xbfGREETING=a\n", {"GREETING": "a"}),
    ("GREETING=Σας χαιρετώ 👋\n".encode(), {"GREETING": "Σας χαιρετώ 👋"}),
    (b"GREETING=first\nGREETING=last\n", {"GREETING": "last"}),
    (b"  export \t GREETING =  a  b  \n", {"GREETING": "a  b"}),
    (b"GREETING=\nPORT='' \nAPI_TOKEN=\"\"\n", {"GREETING": "", "PORT": "", "API_TOKEN": ""}),
    (b"GREETING=a#b # not this, $nor {this}\n", {"GREETING": "a#b"}),
    (b"GREETING='a # b' # c\nAPI_TOKEN='x'#c\n", {"GREETING": "a # b", "API_TOKEN": "x"}),
    (b"API_TOKEN=a=b==\n", {"API_TOKEN": "a=b=="}),
    (b"API_TOKEN=a'b\"c`d\\e!f*g~h;i&j|k<l>m(n)o[p]q{r}s?t^u@v%w,x:y\n",
     {"API_TOKEN": "a'b\"c`d\\e!f*g~h;i&j|k<l>m(n)o[p]q{r}s?t^u@v%w,x:y"}),
    (b"GREETING='it costs $5, ${HOME} and \"all\" \\that'\n", {"GREETING": 'it costs $5, ${HOME} and "all" \\that'}),
    (b'GREETING="it\'s \\"all\\" \\\\ in"\n', {"GREETING": 'it\'s "all" \\ in'}),
]  # fmt: skip
# Compose would read something else than what is written.
CHANGED = [
    b"GREETING=a$PORT",
    b"GREETING=a$$b",
    b"GREETING=${GREETING:-a}",
    b'GREETING="$PORT"',
    b"GREETING=\\$PORT",
    b'GREETING="it\'s \\$5"',
    b"GREETING=a\t#b",
    b"GREETING= # a",
    b"GREETING=#a",
    b"GREETING='a' b",
    b'GREETING="a"b',
    b"GREETING='it\\'s'",
    b"GREETING='a\\\\b'",
    b'GREETING="a\\nb"',
    b"GREETING='a",
    b'GREETING="a',
    b"GREETING=a\xc2\xa0b",
]
