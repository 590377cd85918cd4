// Stub stands in for a user's server in load tests: it starts in milliseconds, takes a few MB, and answers
// what the hub and a browser would ask, so that what is measured is the hub and the proxy.
package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

const webSocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, 1.3

func main() {
	if len(os.Args) > 1 && os.Args[1] != "serve" && os.Args[1] != "jupyterhub-singleuser" {
		log.Fatalf("exec %s failed: No such file or directory", os.Args[1])
	}
	if len(os.Args) == 3 && os.Args[2] == "--version" {
		fmt.Println(os.Getenv("JUPYTERHUB_VERSION"))
		return
	}
	page := []byte(strings.Repeat("x", 1024))
	version := os.Getenv("JUPYTERHUB_VERSION")
	log.Fatal(http.ListenAndServe(":8888", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-JupyterHub-Version", version)
		switch {
		case strings.HasSuffix(r.URL.Path, "/api"):
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintln(w, `{"version": "stub"}`)
		case strings.HasSuffix(r.URL.Path, "/ws"):
			echo(w, r)
		default:
			w.Write(page)
		}
	})))
}

// echo is a web socket that sends every message back, until it is closed.
func echo(w http.ResponseWriter, r *http.Request) {
	digest := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + webSocketGUID))
	connection, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "not a connection that can become a web socket", http.StatusBadRequest)
		return
	}
	defer connection.Close()
	fmt.Fprintf(buffer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(digest[:]))
	for buffer.Flush() == nil {
		opcode, message, err := frame(buffer.Reader)
		if err != nil {
			return
		}
		if opcode&0x0f == 0x9 { // a ping is answered with a pong
			opcode = opcode&0xf0 | 0xa
		}
		send(buffer.Writer, opcode, message)
		if opcode&0x0f == 0x8 { // a close is answered with a close
			buffer.Flush()
			return
		}
	}
}

// frame reads one of at most 1 MiB; those of a client are always masked.
func frame(from *bufio.Reader) (opcode byte, message []byte, err error) {
	head := make([]byte, 2)
	if _, err = io.ReadFull(from, head); err != nil {
		return
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		var long uint16
		err = binary.Read(from, binary.BigEndian, &long)
		size = uint64(long)
	case 127:
		err = binary.Read(from, binary.BigEndian, &size)
	}
	if err != nil || size > 1<<20 {
		return 0, nil, fmt.Errorf("cannot read a frame of %d bytes: %v", size, err)
	}
	masked := make([]byte, 4+size)
	if _, err = io.ReadFull(from, masked); err != nil {
		return
	}
	mask, message := masked[:4], masked[4:]
	for i := range message {
		message[i] ^= mask[i%4]
	}
	return head[0], message, nil
}

func send(to *bufio.Writer, opcode byte, message []byte) {
	to.WriteByte(opcode)
	switch size := len(message); {
	case size < 126:
		to.WriteByte(byte(size))
	case size < 1<<16:
		to.WriteByte(126)
		binary.Write(to, binary.BigEndian, uint16(size))
	default:
		to.WriteByte(127)
		binary.Write(to, binary.BigEndian, uint64(size))
	}
	to.Write(message)
}
