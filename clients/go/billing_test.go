package billing

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const keysPath = "/.well-known/jwks.json"

// What every client must do, by the file that all of them share.
var vectors = func() (found struct {
	Issuer string
	Now    int64
	Keys   json.RawMessage
	Tokens []struct {
		Name, Token string
		Good        bool
	}
	Features struct {
		Has   map[string]bool
		Limit map[string]*int64
	}
	Webhooks struct {
		Secret string
		Posts  []struct {
			Name, Body string
			Headers    map[string]string
			Good       bool
		}
	}
}) {
	text, err := os.ReadFile("../vectors.json")
	if err == nil {
		err = json.Unmarshal(text, &found)
	}
	if err != nil {
		panic(err)
	}
	return found
}()

func token(name string) string {
	for _, one := range vectors.Tokens {
		if one.Name == name {
			return one.Token
		}
	}
	panic("no token " + name)
}

// frontEnd answers with the vectors' keys and good token, is gone, or lets whoever asks wait.
type frontEnd struct {
	mu     sync.Mutex
	gone   bool
	status int
	now    time.Time
	asked  []string
	open   chan struct{}
}

func newFrontEnd() *frontEnd { return &frontEnd{now: time.Unix(vectors.Now, 0), status: 200} }

func (f *frontEnd) RoundTrip(request *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.asked = append(f.asked, request.URL.Path)
	gone, status, open := f.gone, f.status, f.open
	f.mu.Unlock()
	if open != nil {
		<-open
	}
	if gone {
		return nil, errors.New("connection refused")
	}
	answer := `{"token":"` + token("good") + `"}`
	if request.URL.Path == keysPath {
		answer = string(vectors.Keys)
	} else if request.Header.Get("Authorization") != "Bearer bst_1" {
		status = 401
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(answer)), Request: request}, nil
}

func (f *frontEnd) later(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

func (f *frontEnd) questions() (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, path := range f.asked {
		if path != keysPath {
			count++
		}
	}
	return count
}

func (f *frontEnd) billing(failOpenFor time.Duration) *Billing {
	now := func() time.Time {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.now
	}
	options := Options{ServiceToken: "bst_1", FailOpenFor: failOpenFor, Client: &http.Client{Transport: f}, Now: now}
	return New(vectors.Issuer, options)
}

func want(t *testing.T, got, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("got %v, want %v", got, wanted)
	}
}

func wantError(t *testing.T, got, wanted error) {
	t.Helper()
	if !errors.Is(got, wanted) || (wanted == nil && got != nil) {
		t.Fatalf("got %v, want %v", got, wanted)
	}
}

func TestATokenIsTakenOrRefused(t *testing.T) {
	for _, vector := range vectors.Tokens {
		t.Run(vector.Name, func(t *testing.T) {
			rights, err := newFrontEnd().billing(0).Verify(vector.Token)
			if vector.Good {
				wantError(t, err, nil)
				want(t, rights.UserID, "usr_1")
			} else {
				wantError(t, err, ErrRefused)
			}
		})
	}
}

func TestAWebhookIsTakenOrRefused(t *testing.T) {
	for _, vector := range vectors.Webhooks.Posts {
		t.Run(vector.Name, func(t *testing.T) {
			header := http.Header{}
			for name, value := range vector.Headers {
				header.Set(name, value)
			}
			event, err := newFrontEnd().billing(0).Event(vectors.Webhooks.Secret, []byte(vector.Body), header)
			if vector.Good {
				wantError(t, err, nil)
				want(t, event.Data["user_id"], "usr_1")
			} else {
				wantError(t, err, ErrRefused)
			}
		})
	}
}

func TestFeaturesAreWhatTheySay(t *testing.T) {
	rights, err := newFrontEnd().billing(0).Verify(token("good"))
	wantError(t, err, nil)
	for name, has := range vectors.Features.Has {
		want(t, rights.Has(name), has)
	}
	for name, most := range vectors.Features.Limit {
		limit := int64(Unlimited)
		if most != nil {
			limit = *most
		}
		want(t, rights.Limit(name), limit)
	}
}

func TestAnAnswerIsKeptUntilItEndsAndKeysLonger(t *testing.T) {
	front := newFrontEnd()
	billing := front.billing(0)
	for i := 0; i < 3; i++ {
		_, err := billing.Of(context.Background(), "usr_1")
		wantError(t, err, nil)
	}
	want(t, front.asked, []string{"/api/entitlements/usr_1", keysPath})
	billing.Forget("usr_1")
	_, err := billing.Of(context.Background(), "usr_1")
	wantError(t, err, nil)
	want(t, front.asked[2:], []string{"/api/entitlements/usr_1"})
}

func TestWhoAsksMeanwhileWaitsForTheSameAnswer(t *testing.T) {
	front := newFrontEnd()
	front.open = make(chan struct{})
	billing := front.billing(0)
	errs := make(chan error)
	for i := 0; i < 3; i++ {
		go func() {
			_, err := billing.Of(context.Background(), "usr_1")
			errs <- err
		}()
	}
	close(front.open)
	for i := 0; i < 3; i++ {
		wantError(t, <-errs, nil)
	}
	want(t, front.questions(), 1)
}

func TestAnAnswerThatAnEventOvertookIsNotKept(t *testing.T) {
	front := newFrontEnd()
	front.open = make(chan struct{})
	billing := front.billing(0)
	early, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := billing.Of(early, "usr_1") // asks, and does not wait
	wantError(t, err, context.Canceled)
	billing.mu.Lock()
	asked := billing.asking["usr_1"]
	billing.mu.Unlock()
	billing.Forget("usr_1")
	close(front.open)
	<-asked.answered
	_, err = billing.Of(context.Background(), "usr_1")
	wantError(t, err, nil)
	want(t, front.questions(), 2)
}

func TestWhileBillingIsGoneTheStatedPolicyHolds(t *testing.T) {
	for _, one := range []struct {
		failOpenFor, after time.Duration
		wanted             error
	}{
		{0, 54 * time.Second, nil},
		{0, 56 * time.Second, ErrUnavailable},
		{time.Minute, 110 * time.Second, nil},
		{time.Minute, 116 * time.Second, ErrUnavailable},
	} {
		front := newFrontEnd()
		billing := front.billing(one.failOpenFor)
		_, err := billing.Of(context.Background(), "usr_1")
		wantError(t, err, nil)
		front.gone = true
		front.later(one.after)
		_, err = billing.Require(context.Background(), "usr_1", "exports")
		wantError(t, err, one.wanted)
	}
}

func TestAFrontEndThatFailsIsNotAskedAgainAtOnce(t *testing.T) {
	front := newFrontEnd()
	billing := front.billing(0)
	front.status = 503
	_, err := billing.Of(context.Background(), "usr_1")
	wantError(t, err, ErrUnavailable)
	front.status = 200
	_, err = billing.Of(context.Background(), "usr_1")
	wantError(t, err, ErrUnavailable)
	front.later(3 * time.Second)
	_, err = billing.Of(context.Background(), "usr_1")
	wantError(t, err, nil)
	want(t, front.questions(), 2)
}

func TestBillingMayBeAskedAtAnotherAddressThanItsPublicOne(t *testing.T) {
	front := newFrontEnd()
	options := Options{Issuer: vectors.Issuer, ServiceToken: "bst_1", Client: &http.Client{Transport: front}}
	options.Now = func() time.Time { return front.now }
	rights, err := New("http://billing:8081", options).Of(context.Background(), "usr_1")
	wantError(t, err, nil)
	want(t, rights.Plan, "premium")
}

// p99 returns the 99th percentile of so many calls, in microseconds.
func p99(called func(), times int) float64 {
	took := make([]float64, times)
	for i := range took {
		began := time.Now()
		called()
		took[i] = float64(time.Since(began).Nanoseconds()) / 1000
	}
	sort.Float64s(took)
	return took[times*99/100-1]
}

func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestACheckOfWhatIsKnownTakesNoMillisecond(t *testing.T) {
	billing := newFrontEnd().billing(0)
	ctx, good := context.Background(), token("good")
	_, err := billing.Of(ctx, "usr_1")
	wantError(t, err, nil)
	empty := p99(func() {}, 20_000)
	check := p99(func() { _, _ = billing.Require(ctx, "usr_1", "exports") }, 20_000)
	before := processorTime()
	for i := 0; i < 1000; i++ {
		_, _ = billing.Verify(good)
	}
	verify := float64((processorTime() - before).Microseconds()) / 1000
	t.Logf(`in microseconds: {"empty": %f, "check": %f, "verify": %f}`, empty, check, verify)
	if check >= 1000 {
		t.Fatalf("%f µs", check)
	}
}

func TestAnotherUsersAnswerIsNotBelieved(t *testing.T) {
	_, err := newFrontEnd().billing(0).Of(context.Background(), "usr_2")
	wantError(t, err, ErrRefused)
}

func TestUnknownKeysAreAskedForAtMostEachTenSeconds(t *testing.T) {
	front := newFrontEnd()
	billing := front.billing(0)
	for i := 0; i < 5; i++ {
		_, err := billing.Verify(token("unknown kid"))
		wantError(t, err, ErrRefused)
	}
	want(t, front.asked, []string{keysPath})
	front.later(11 * time.Second)
	_, err := billing.Verify(token("unknown kid"))
	wantError(t, err, ErrRefused)
	want(t, front.asked, []string{keysPath, keysPath})
}

func TestOldKeysCountOnWhileBillingIsGone(t *testing.T) {
	front := newFrontEnd()
	billing := front.billing(0)
	front.later(-350 * time.Second)
	_, err := billing.Verify(token("unknown kid"))
	wantError(t, err, ErrRefused)
	front.gone = true
	front.later(350 * time.Second)
	_, err = billing.Verify(token("good"))
	wantError(t, err, nil)
}

func TestASecretThatIsNoneIsNoticedAtTheStart(t *testing.T) {
	for _, secret := range []string{"", "whsec_", "no base64!"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was taken", secret)
				}
			}()
			newFrontEnd().billing(0).Events(secret, nil)
		}()
	}
}

func TestItGuardsAServer(t *testing.T) {
	front := newFrontEnd()
	billing := front.billing(0)
	userID := func(request *http.Request) string { return request.Header.Get("X-User-Id") }
	mux := http.NewServeMux()
	mux.Handle("/hooks", billing.Events(vectors.Webhooks.Secret, nil))
	for path, feature := range map[string]string{"/exports": "exports", "/audit": "audit_log"} {
		mux.Handle(path, billing.Requires(feature, userID)(http.HandlerFunc(
			func(response http.ResponseWriter, request *http.Request) {
				_, _ = io.WriteString(response, RightsOf(request).UserID)
			})))
	}
	ask := func(method, path, who string) (int, string) {
		request := httptest.NewRequest(method, path, strings.NewReader("{}"))
		request.Header.Set("X-User-Id", who)
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, request)
		return recorder.Code, strings.TrimSpace(recorder.Body.String())
	}
	wanted := func(method, path, who string, status int, body string) {
		t.Helper()
		gotStatus, gotBody := ask(method, path, who)
		want(t, []any{gotStatus, gotBody}, []any{status, body})
	}
	wanted("GET", "/exports", "usr_1", 200, "usr_1")
	wanted("GET", "/audit", "usr_1", 403, `{"detail":"This needs audit_log."}`)
	wanted("GET", "/exports", "", 403, `{"detail":"This needs exports."}`)
	wanted("POST", "/hooks", "", 401, `{"detail":"Not signed by billing."}`)
	front.gone = true
	billing.Forget("usr_1")
	wanted("GET", "/exports", "usr_1", 503, `{"detail":"What you may do can't be checked right now."}`)
}
