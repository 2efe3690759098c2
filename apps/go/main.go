// Go's standard HTTP server: each request sleeps in its goroutine.
package main

import (
	"log"
	"net/http"
	"time"
)

func health(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(100 * time.Millisecond)
	w.Write([]byte("ok"))
}

func main() {
	http.HandleFunc("/health", health)
	log.Fatal(http.ListenAndServe("0.0.0.0:8080", nil))
}
