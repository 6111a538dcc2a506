// Writes each payload of standard input as Go does: a line "NAME<TAB>NUMBER<TAB>BASE64" each.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

func show(name string, number int, text []byte) {
	fmt.Printf("go %s\t%d\t%s\n", name, number, base64.StdEncoding.EncodeToString(text))
}

func main() {
	all, _ := io.ReadAll(os.Stdin)
	for number, line := range strings.Split(strings.TrimSuffix(string(all), "\n"), "\n") {
		var value any
		json.Unmarshal([]byte(line), &value)
		text, _ := json.Marshal(value)
		show("Marshal", number, text)
		var out bytes.Buffer
		json.NewEncoder(&out).Encode(value)
		show("Encoder", number, out.Bytes())
		var plain bytes.Buffer
		encoder := json.NewEncoder(&plain)
		encoder.SetEscapeHTML(false)
		encoder.Encode(value)
		show("Encoder without HTML", number, plain.Bytes())
		text, _ = json.MarshalIndent(value, "", "  ")
		show("MarshalIndent 2", number, text)
		text, _ = json.MarshalIndent(value, "", "\t")
		show("MarshalIndent tab", number, text)
		text, _ = json.Marshal(json.RawMessage(line))
		show("RawMessage", number, text)
		var exact any
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.UseNumber()
		decoder.Decode(&exact)
		text, _ = json.Marshal(exact)
		show("UseNumber", number, text)
		show("Sprint", number, []byte(fmt.Sprint(value)))
	}
}
