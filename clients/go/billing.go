// Package billing says what a user may do, for Go services beside the billing front end. Copy it into your module.
//
// A token is verified offline against the published keys, which are kept; by a user's id the billing front end is asked
// once a minute and user. While it is gone the last answer counts until it ends, and FailOpenFor longer: by default not
// at all.
package billing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

const (
	keysKeptFor    = 300 * time.Second
	keysAskedEvery = 10 * time.Second // an unknown key is asked for at once, but not more often
	restsFor       = 2 * time.Second  // after a failure: not every request waits for a front end that hangs
	leeway         = 10 * time.Second // that clocks may be apart
	mostKept       = 10_000
	mostRead       = 1 << 20
)

// Unlimited is the limit of a feature without one.
const Unlimited = math.MaxInt64

var (
	// ErrRefused says that a token or an event is not one to believe: forged, over, for somebody else, of an unknown key.
	ErrRefused = errors.New("not to be believed")
	// ErrUnavailable says that the billing front end can't be asked, and that nothing that is known still counts.
	ErrUnavailable = errors.New("billing can't be asked")
	// ErrNotEntitled says that the user lacks a feature.
	ErrNotEntitled = errors.New("not entitled")
)

// Rights are what one user may do. Stale: billing could not ask its services, so this is memory of AsOf.
type Rights struct {
	UserID    string
	Features  map[string]any
	ExpiresAt time.Time
	Plan      string // empty without one
	State     string
	AsOf      string
	Stale     bool
}

// Has says whether the user has a feature; one that billing does not know nobody has.
func (r *Rights) Has(feature string) bool {
	switch value := r.Features[feature].(type) {
	case bool:
		return value
	case float64:
		return value != 0
	case string:
		return value != ""
	}
	return false
}

// Limit returns how much of a feature the user may have: Unlimited, or 0 for what billing does not know.
func (r *Rights) Limit(feature string) int64 {
	switch value := r.Features[feature].(type) {
	case float64:
		return int64(value)
	case bool:
		if value {
			return 1
		}
	case string:
		if value == "unlimited" {
			return Unlimited
		}
	}
	return 0
}

// Options of a Billing. The zero value of each is a good one; without a ServiceToken only tokens can be verified.
type Options struct {
	Issuer       string        // its PUBLIC_URL, where it is asked at another address
	Audience     string        // what its ENTITLEMENTS_AUDIENCE names; by default the issuer
	ServiceToken string        // of its SERVICE_TOKENS, to ask by a user's id
	FailOpenFor  time.Duration // the last answer counts so long after its end, while billing can't be asked
	Client       *http.Client  // by default one that waits six seconds
	Now          func() time.Time
}

// Billing is the billing front end. It is safe for concurrent use.
type Billing struct {
	url     string
	options Options

	mu         sync.Mutex
	known      map[string]*Rights
	asking     map[string]*question
	restsUntil time.Time
	keys       map[string]*ecdsa.PublicKey
	keysAt     time.Time
	keysAsked  sync.Mutex
}

type question struct {
	answered chan struct{}
	rights   *Rights
	err      error
}

// New returns the billing front end at an address.
func New(address string, options Options) *Billing {
	address = strings.TrimRight(address, "/")
	if options.Issuer == "" {
		options.Issuer = address
	}
	if options.Audience == "" {
		options.Audience = options.Issuer
	}
	if options.Client == nil {
		asIs := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		options.Client = &http.Client{Timeout: 6 * time.Second, CheckRedirect: asIs}
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	return &Billing{url: address, options: options, known: map[string]*Rights{}, asking: map[string]*question{}}
}

type claims struct {
	jwt.RegisteredClaims
	Features map[string]any `json:"features"`
	Plan     *string        `json:"plan"`
	State    string         `json:"state"`
	AsOf     string         `json:"as_of"`
	Stale    bool           `json:"stale"`
}

// Verify returns what a token says: ErrRefused, or ErrUnavailable while there are no keys to verify it with.
func (b *Billing) Verify(token string) (*Rights, error) {
	found := claims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(token, &found, b.keyFor)
	if errors.Is(err, ErrUnavailable) {
		return nil, ErrUnavailable
	}
	if err == nil {
		err = b.check(&found)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrRefused, err)
	}
	rights := &Rights{
		UserID: found.Subject, Features: found.Features, ExpiresAt: found.ExpiresAt.Time,
		State: found.State, AsOf: found.AsOf, Stale: found.Stale,
	}
	if found.Plan != nil {
		rights.Plan = *found.Plan
	}
	return rights, nil
}

func (b *Billing) check(found *claims) error {
	now := b.options.Now()
	switch {
	case found.Issuer != b.options.Issuer:
		return errors.New("of another issuer")
	case !found.VerifyAudience(b.options.Audience, true):
		return errors.New("for another audience")
	case found.ExpiresAt == nil || now.After(found.ExpiresAt.Add(leeway)):
		return errors.New("over")
	case found.IssuedAt == nil || found.IssuedAt.After(now.Add(leeway)):
		return errors.New("issued in the future")
	case found.Subject == "" || found.Features == nil:
		return errors.New("no user or no features")
	}
	return nil
}

// Of returns what a user may do, asked by id with the service token: ErrUnavailable, ErrRefused or the context's error.
// Who asks meanwhile waits for the same answer.
func (b *Billing) Of(ctx context.Context, userID string) (*Rights, error) {
	now := b.options.Now()
	b.mu.Lock()
	known := b.known[userID]
	if known != nil && now.Before(known.ExpiresAt) {
		b.mu.Unlock()
		return known, nil
	}
	asked := b.asking[userID]
	if asked == nil {
		asked = &question{answered: make(chan struct{})}
		b.asking[userID] = asked
		go b.answer(userID, asked)
	}
	b.mu.Unlock()
	select {
	case <-asked.answered:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if errors.Is(asked.err, ErrUnavailable) && known != nil && now.Before(known.ExpiresAt.Add(b.options.FailOpenFor)) {
		return known, nil
	}
	return asked.rights, asked.err
}

// Forget has the next question asked anew: an event said that something changed.
func (b *Billing) Forget(userID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, userID)
	delete(b.asking, userID) // an answer that is on its way may be older than the change
}

// Require returns what a user may do if they have a feature; nobody (an empty id) has none. ErrNotEntitled, and Of's.
func (b *Billing) Require(ctx context.Context, userID, feature string) (*Rights, error) {
	if userID == "" {
		return nil, fmt.Errorf("%w: %s", ErrNotEntitled, feature)
	}
	rights, err := b.Of(ctx, userID)
	if err != nil {
		return nil, err
	}
	if !rights.Has(feature) {
		return nil, fmt.Errorf("%w: %s", ErrNotEntitled, feature)
	}
	return rights, nil
}

func (b *Billing) answer(userID string, asked *question) {
	asked.rights, asked.err = b.ask(userID)
	b.mu.Lock()
	defer b.mu.Unlock()
	defer close(asked.answered)
	if b.asking[userID] != asked {
		return
	}
	delete(b.asking, userID)
	if asked.err == nil {
		if _, kept := b.known[userID]; !kept && len(b.known) >= mostKept {
			for any := range b.known {
				delete(b.known, any)
				break
			}
		}
		b.known[userID] = asked.rights
	}
}

func (b *Billing) ask(userID string) (*Rights, error) {
	b.mu.Lock()
	rests := b.options.Now().Before(b.restsUntil)
	b.mu.Unlock()
	if rests {
		return nil, fmt.Errorf("%w: asked a moment ago", ErrUnavailable)
	}
	var found struct{ Token string }
	if err := b.get("/api/entitlements/"+url.PathEscape(userID), "Bearer "+b.options.ServiceToken, &found); err != nil {
		return nil, err
	}
	rights, err := b.Verify(found.Token)
	if err == nil && rights.UserID != userID {
		return nil, fmt.Errorf("%w: of another user", ErrRefused)
	}
	return rights, err
}

func (b *Billing) get(path, authorization string, found any) error {
	request, err := http.NewRequest(http.MethodGet, b.url+path, nil)
	if err != nil {
		return err
	}
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	status := 0
	response, err := b.options.Client.Do(request)
	if err == nil {
		defer response.Body.Close()
		if status = response.StatusCode; status == http.StatusOK {
			if err = json.NewDecoder(io.LimitReader(response.Body, mostRead)).Decode(found); err == nil {
				return nil
			}
		}
	}
	if err != nil || status >= 500 {
		b.mu.Lock()
		b.restsUntil = b.options.Now().Add(restsFor)
		b.mu.Unlock()
	}
	return fmt.Errorf("%w: status %d, %v", ErrUnavailable, status, err)
}

// keyFor returns the key that a token names. Keys are asked for anew where they are old or lack it; old ones that have
// it are not waited for.
func (b *Billing) keyFor(token *jwt.Token) (any, error) {
	kid, named := token.Header["kid"].(string)
	if !named {
		return nil, errors.New("no key named")
	}
	key, old := b.keyKnown(kid)
	if key != nil && old && b.keysAsked.TryLock() {
		go func() {
			defer b.keysAsked.Unlock()
			b.askForKeys()
		}()
	}
	if key == nil && old {
		b.keysAsked.Lock()
		if key, old = b.keyKnown(kid); key == nil && old { // else somebody else has asked meanwhile
			b.askForKeys()
			key, _ = b.keyKnown(kid)
		}
		b.keysAsked.Unlock()
	}
	if key != nil {
		return key, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys == nil {
		return nil, ErrUnavailable
	}
	return nil, errors.New("of an unknown key")
}

func (b *Billing) keyKnown(kid string) (key *ecdsa.PublicKey, old bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	age := b.options.Now().Sub(b.keysAt)
	key = b.keys[kid]
	return key, age > keysKeptFor || (key == nil && age > keysAskedEvery)
}

func (b *Billing) askForKeys() {
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	err := b.get("/.well-known/jwks.json", "", &set)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keysAt = b.options.Now()
	if err != nil {
		return // the old keys count on
	}
	b.keys = map[string]*ecdsa.PublicKey{}
	for _, one := range set.Keys {
		x, xErr := base64.RawURLEncoding.DecodeString(one.X)
		y, yErr := base64.RawURLEncoding.DecodeString(one.Y)
		key := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(x), Y: new(big.Int).SetBytes(y)}
		if one.Kty == "EC" && one.Crv == "P-256" && xErr == nil && yErr == nil && key.Curve.IsOnCurve(key.X, key.Y) {
			b.keys[one.Kid] = key
		}
	}
}
