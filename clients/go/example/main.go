// A net/http service whose exports are for whoever has `audit_log`.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"example.com/billing"
)

func main() {
	options := billing.Options{ServiceToken: os.Getenv("BILLING_TOKEN"), FailOpenFor: 5 * time.Minute}
	guard := billing.New(os.Getenv("BILLING_URL"), options)
	userID := func(r *http.Request) string { return r.Header.Get("X-User-Id") } // whoever your own sign-in says it is

	http.Handle("/export", guard.Requires("audit_log", userID)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"user": userID(r), "members": billing.RightsOf(r).Limit("members")})
	})))
	http.Handle("/hooks/billing", guard.Events(os.Getenv("BILLING_WEBHOOK_SECRET"), nil))
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
