"""Writes each payload of standard input as Python's serialisers do: a line "NAME<TAB>NUMBER<TAB>BASE64" each."""
import base64, json, sys

def show(name, number, text):
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    print(name, number, base64.b64encode(data).decode(), sep="\t")

compact = (",", ":")
styles = {
    "json.dumps": dict(),
    "compact": dict(separators=compact),
    "sort_keys": dict(sort_keys=True),
    "sort_keys compact": dict(sort_keys=True, separators=compact),
    "plain": dict(ensure_ascii=False),
    "plain compact": dict(ensure_ascii=False, separators=compact),
    "plain sort_keys": dict(ensure_ascii=False, sort_keys=True),
    "plain sort_keys compact": dict(ensure_ascii=False, sort_keys=True, separators=compact),
    "indent 2": dict(indent=2),
    "indent 4": dict(indent=4),
    "indent 2 plain": dict(indent=2, ensure_ascii=False),
    "indent 4 sort_keys": dict(indent=4, sort_keys=True),
}
writers = {f"python {name}": (lambda value, wire, how=how: json.dumps(value, **how)) for name, how in styles.items()}
writers["python json.dumps line"] = lambda value, wire: json.dumps(value) + "\n"
writers["python indent 2 line"] = lambda value, wire: json.dumps(value, indent=2) + "\n"
writers["python str(dict)"] = lambda value, wire: str(value)
writers["python str(bytes)"] = lambda value, wire: str(wire.encode())
try:
    import orjson
    writers["python orjson"] = lambda value, wire: orjson.dumps(orjson.loads(wire))
    writers["python orjson sorted"] = lambda value, wire: orjson.dumps(orjson.loads(wire), option=orjson.OPT_SORT_KEYS)
except ImportError:
    print("skipped: orjson", file=sys.stderr)
try:
    import ujson
    writers["python ujson"] = lambda value, wire: ujson.dumps(ujson.loads(wire))
except ImportError:
    print("skipped: ujson", file=sys.stderr)
try:
    import simplejson
    writers["python simplejson"] = lambda value, wire: simplejson.dumps(simplejson.loads(wire))
    writers["python simplejson html"] = lambda value, wire: simplejson.dumps(simplejson.loads(wire), for_json=False, cls=simplejson.JSONEncoderForHTML)
except ImportError:
    print("skipped: simplejson", file=sys.stderr)
for number, line in enumerate(sys.stdin.buffer.read().decode().split("\n")[:-1]):
    for name, write in writers.items():
        try:
            show(name, number, write(json.loads(line), line))
        except Exception as fault:
            print("no text:", name, number, fault, file=sys.stderr)
