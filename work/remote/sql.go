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

// queryCanceled is PostgreSQL's code for a query that it ended itself: as nobody here asks for it without having gone,
// because of its own statement_timeout.
const queryCanceled = "57014"

// closeTimeout is how long closing waits for the server: to be told which queries to end, and to take leave.
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

// errNoDSN gives the command that starts a database, and the flag that fits it.
var errNoDSN = errors.New(`"sql" needs a PostgreSQL; start one with: docker run --rm --detach` +
	` --publish 127.0.0.1:5432:5432 --env POSTGRES_PASSWORD=demo postgres,` +
	` and add --dsn=postgres://postgres:demo@127.0.0.1:5432/postgres`)

// SQL is work that waits for PostgreSQL: a query that sleeps. Its bound are the pool's connections: a request that finds
// all of them taken waits for one.
type SQL struct {
	server string // for errors
	margin time.Duration
	places *work.Semaphore
	config *pgx.ConnConfig
	pool   *pgxpool.Pool
	cut    context.CancelFunc // of all connections
}

// NewSQL returns work that queries the PostgreSQL server that dsn names, as a URL or as keywords with values, over
// connections connections at most. It does not wait for them, but begins to make them all, so that no query has to. An
// answer that takes margin longer than the delay has timed out.
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

// CheckDSN returns what is wrong with a DSN for NewSQL, or nil.
func CheckDSN(dsn string) error {
	_, err := parseDSN(dsn)
	return err
}

func parseDSN(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The parser's own error quotes the DSN, and cannot find the password in every one that is wrong.
		return nil, errors.New("is not understood; want one such as postgres://USER:PASSWORD@127.0.0.1:5432/DATABASE")
	}
	return config, nil
}

// Holds is Socket.
func (s *SQL) Holds() work.Resource { return work.Socket }

// Pool is the pool's connections.
func (s *SQL) Pool() work.PoolStats { return s.places.Pool() }

// Do has the server sleep for the delay. The wait for a connection counts neither as delay nor towards the timeout. When
// ctx is done it returns at once, and the server is told to end the query. The error is a *work.Failure, or ctx.Err().
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

// Check connects, outside of the pool: that all of its connections are taken does not mean that the server is down.
func (s *SQL) Check(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return s.failed(err).Err
	}
	conn.Close(ctx) // the server is there, whatever becomes of the farewell
	return nil
}

// Close ends the connections. No work may be under way. The pool waits for every connection that it makes or ends, as long
// as those may take: a server that does not answer has to be cut off.
func (s *SQL) Close() error {
	defer s.cut()
	defer time.AfterFunc(closeTimeout, s.cut).Stop()
	s.pool.Close()
	return nil
}

// cutWith is dial, but what it connects is cut once life is done, whoever waits for an answer there.
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

// A cuttable is a connection that waits to be cut until it is closed.
type cuttable struct {
	net.Conn
	forget func() bool
}

func (c *cuttable) Close() error {
	c.forget()
	return c.Conn.Close()
}

// failed is the failure of a query, or of a connect for one.
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
