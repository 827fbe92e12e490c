// SPDX-License-Identifier: Apache-2.0

// ping SOCKET COUNT: asks /_ping by net/http, each time on a new connection; prints the median in nanoseconds.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ping SOCKET COUNT")
		os.Exit(2)
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil || count < 1 {
		fmt.Fprintln(os.Stderr, "COUNT is a positive number")
		os.Exit(2)
	}
	client := &http.Client{
		Timeout: 2 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", os.Args[1])
			},
		},
	}
	took := make([]time.Duration, 0, count)
	for i := 0; i < count; i++ {
		start := time.Now()
		answer, err := client.Get("http://localhost/_ping")
		if err == nil {
			var body []byte
			body, err = io.ReadAll(answer.Body)
			answer.Body.Close()
			if err == nil && (answer.StatusCode != 200 || string(body) != "OK") {
				err = fmt.Errorf("status %d, %q", answer.StatusCode, body)
			}
		}
		took = append(took, time.Since(start))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	sort.Slice(took, func(a, b int) bool { return took[a] < took[b] })
	fmt.Println(took[count/2].Nanoseconds())
}
