package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"demo-server/work"
)

// queryCanceled is PostgreSQL's code for a query that was cancelled. If the request was not, the cause is the server's
// statement_timeout.
const queryCanceled = "57014"

// closeTimeout is how long Close waits for the server, to cancel queries and to say goodbye.
const closeTimeout = time.Second

// SQLKind describes SQL.
var SQLKind = work.Kind{
	Name:        "sql",
	Summary:     "wait for a query of PostgreSQL, over a pool of connections",
	Holds:       work.Socket,
	SideEffects: true,
	Settings:    []string{"pool-size", "dsn", "dial-timeout"},
	Limit:       connectionLimit,
	Files:       func(o work.Options) int { return o.PoolSize },
	Checks: []work.Check{
		{Setting: "dsn", Func: func(o work.Options) error {
			if o.DSN == "" {
				return nil
			}
			return CheckDSN(o.DSN)
		}},
		{Setting: "work", DependsOn: []string{"dsn"}, Func: func(o work.Options) error {
			if o.DSN == "" {
				return errNoDSN
			}
			return nil
		}},
	},
	Open: func(o work.Options) (work.Work, []io.Closer, error) {
		pool, err := NewSQL(o.DSN, o.PoolSize, o.DialTimeout)
		return opened(pool, err, nil)
	},
}

// errNoDSN contains a command that starts a database, and the matching flag.
var errNoDSN = errors.New(`"sql" needs a PostgreSQL; start one with: docker run --rm --detach` +
	` --publish 127.0.0.1:5432:5432 --env POSTGRES_PASSWORD=demo postgres,` +
	` and add --dsn=postgres://postgres:demo@127.0.0.1:5432/postgres`)

// A SQL waits for a PostgreSQL query that sleeps. The pool's connections limit the concurrent requests; further ones
// wait.
type SQL struct {
	server string // for errors
	margin time.Duration
	places *work.Semaphore
	config *pgx.ConnConfig
	pool   *pgxpool.Pool
	cut    context.CancelFunc // of all connections
}

// NewSQL returns work that queries the PostgreSQL server in dsn, a URL or keywords with values, on at most connections
// connections. It starts to make all of them but does not wait, so queries need not wait either. An answer that takes
// margin longer than the delay has timed out.
func NewSQL(dsn string, connections int, margin time.Duration) (*SQL, error) {
	config, err := parseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the DSN %w", err)
	}
	config.MaxConns, config.MinConns = int32(connections), int32(connections)
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = margin
	}
	life, cut := context.WithCancel(context.Background())
	config.ConnConfig.DialFunc = cutWith(life, config.ConnConfig.DialFunc)
	pool, err := pgxpool.NewWithConfig(life, config)
	if err != nil {
		cut()
		return nil, fmt.Errorf("cannot make a pool of %d connections: %w", connections, err)
	}
	host := net.JoinHostPort(config.ConnConfig.Host, strconv.Itoa(int(config.ConnConfig.Port)))
	return &SQL{
		server: "PostgreSQL at " + host, margin: margin, places: work.NewSemaphore("sql", connections), config: config.ConnConfig, pool: pool,
		cut: cut,
	}, nil
}

// CheckDSN returns an error if dsn is not valid for NewSQL.
func CheckDSN(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

func parseDSN(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The parser's own error quotes the DSN, and cannot find the password in every wrong one.
		return nil, errors.New("is not understood; want one such as postgres://USER:PASSWORD@127.0.0.1:5432/DATABASE")
	}
	return config, nil
}

// Holds returns Socket.
func (s *SQL) Holds() work.Resource { return work.Socket }

// Pool returns the state of the connections.
func (s *SQL) Pool() work.PoolStats { return s.places.Pool() }

// Do makes the server sleep for the delay. Waiting for a connection counts neither as delay nor towards the timeout.
// When ctx is done, Do returns at once and has the query cancelled. The error is a *work.Failure, or ctx.Err().
func (s *SQL) Do(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return ctx.Err()
	}
	if err := s.places.Acquire(ctx); err != nil {
		return err
	}
	defer s.places.Release()
	call, cancel := within(ctx, delay+s.margin)
	defer cancel()
	if _, err := s.pool.Exec(call, "select pg_sleep($1)", delay.Seconds()); err != nil {
		return unless(ctx, s.failed(err))
	}
	return nil
}

// Check connects outside of the pool: the server may be up even if all of its connections are in use.
func (s *SQL) Check(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return s.failed(err).Err
	}
	conn.Close(ctx) // the server answered, even if closing fails
	return nil
}

// Close closes the connections. No work may be in progress. The pool waits for connections that are being made or
// closed, without a limit, so a server that does not answer is cut off.
func (s *SQL) Close() error {
	defer s.cut()
	defer time.AfterFunc(closeTimeout, s.cut).Stop()
	s.pool.Close()
	return nil
}

// cutWith returns a dial whose connections are cut once life is done, to end reads and writes that wait for the server.
func cutWith(life context.Context, dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &cuttable{conn, context.AfterFunc(life, func() { conn.Close() })}, nil
	}
}

// A cuttable is a connection that can be cut until it is closed.
type cuttable struct {
	net.Conn
	forget func() bool
}

func (c *cuttable) Close() error {
	c.forget()
	return c.Conn.Close()
}

// failed returns the failure of a query, or of connecting for one.
func (s *SQL) failed(err error) *work.Failure {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return failed(s.server, err)
	}
	cause := work.Broken
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &connect):
		cause = work.Refused
	case answer.Code == queryCanceled:
		cause = work.TimedOut
	}
	return answered(s.server, cause, answer.Error())
}
