// Posts signed bodies one after the other, as Go's client does it with an Idempotency-Key: URL, then signature and body of each.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	for at := 2; at < len(os.Args); at += 2 {
		request, _ := http.NewRequest("POST", os.Args[1], strings.NewReader(os.Args[at+1]))
		request.Header.Set("X-TagoRUN-Signature", os.Args[at])
		request.Header.Set("Idempotency-Key", os.Args[at])
		response, fault := http.DefaultClient.Do(request)
		if fault != nil {
			fmt.Println(fault)
			continue
		}
		fmt.Println(response.StatusCode)
		_, _ = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
}
