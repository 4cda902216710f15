package billing

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// eventsMayBe is how far an event's moment may be from now, by Standard Webhooks.
const eventsMayBe = 5 * time.Minute

// Event is one of billing's (Standard Webhooks). More types, and more in Data, may come.
type Event struct {
	Type      string         `json:"type"`
	Timestamp string         `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

type rightsKey struct{}

// RightsOf returns what the user of a request may do, behind Requires; nil elsewhere.
func RightsOf(request *http.Request) *Rights {
	rights, _ := request.Context().Value(rightsKey{}).(*Rights)
	return rights
}

// Requires is a middleware: 403 without the feature, 503 where nobody can say. userID says who asks.
func (b *Billing) Requires(feature string, userID func(*http.Request) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
			rights, err := b.Require(request.Context(), userID(request), feature)
			switch {
			case errors.Is(err, ErrNotEntitled):
				refuse(response, http.StatusForbidden, "This needs "+feature+".")
			case err != nil:
				refuse(response, http.StatusServiceUnavailable, "What you may do can't be checked right now.")
			default:
				next.ServeHTTP(response, request.WithContext(context.WithValue(request.Context(), rightsKey{}, rights)))
			}
		})
	}
}

// Events is the handler of billing's events: 204, or 401 for what billing did not sign. told, if any, gets each.
// It panics at a secret that is none.
func (b *Billing) Events(secret string, told func(*Event)) http.Handler {
	if _, err := webhookKey(secret); err != nil {
		panic(err)
	}
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, mostRead))
		if err != nil {
			refuse(response, http.StatusBadRequest, "The body can't be read.")
			return
		}
		event, err := b.Event(secret, body, request.Header)
		if err != nil {
			refuse(response, http.StatusUnauthorized, "Not signed by billing.")
			return
		}
		if told != nil {
			told(event)
		}
		response.WriteHeader(http.StatusNoContent)
	})
}

// Event returns a verified event; what was known of its user is forgotten. ErrRefused.
func (b *Billing) Event(secret string, body []byte, header http.Header) (*Event, error) {
	at, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: no moment", ErrRefused)
	}
	if away := b.options.Now().Sub(time.Unix(at, 0)); away > eventsMayBe || away < -eventsMayBe {
		return nil, fmt.Errorf("%w: too old or too new", ErrRefused)
	}
	key, err := webhookKey(secret)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), at, body)
	if !signedBy(mac.Sum(nil), header.Get("webhook-signature")) {
		return nil, fmt.Errorf("%w: not signed with this secret", ErrRefused)
	}
	event := Event{}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRefused, err)
	}
	if userID, told := event.Data["user_id"].(string); told {
		b.Forget(userID)
	}
	return &event, nil
}

func webhookKey(secret string) ([]byte, error) {
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(secret, "whsec_"), "="))
	if err != nil || len(key) == 0 {
		return nil, errors.New("the secret is none of a webhook's")
	}
	return key, nil
}

// signedBy says whether one of the signatures is this one: while a secret is replaced there are two.
func signedBy(expected []byte, signatures string) bool {
	for _, one := range strings.Fields(signatures) {
		version, text, _ := strings.Cut(one, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err == nil && version == "v1" && hmac.Equal(signature, expected) {
			return true
		}
	}
	return false
}

func refuse(response http.ResponseWriter, status int, detail string) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	_ = json.NewEncoder(response).Encode(map[string]string{"detail": detail})
}
