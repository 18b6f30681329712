// Statements are compiled once: the driver compiles each one anew whenever it runs, which takes longer than running it
// (one that changes rows is compiled together with its triggers). Kept per connection, the least lately used go first.
import { ConnectionPool } from '@libsql/client/sqlite3';

type Connection = ReturnType<ConnectionPool['acquireSync']>;
type Statement = ReturnType<Connection['prepare']>;
type Column = ReturnType<Statement['columns']>[number];

/** Each takes some ten kilobytes. What a playback, a fetch and a live page run over and over is about this many. */
const KEPT_MAX = 64;
/** Longer ones write many rows at once, with as many placeholders as there happen to be. */
const KEPT_MAX_LENGTH = 4_096;
/** What leaves the tables as they are. The columns of everything else are learnt anew after anything else. */
const OF_ROWS = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|BEGIN|COMMIT|ROLLBACK)\b/i;

/** The driver asks what a statement returns by catching what `raw` throws, each time. */
const RETURNS_NOTHING = new Error('the statement returns no rows');

/** A compiled statement as the driver uses one, which remembers what does not change. */
class KeptStatement {
  readonly #statement: Statement;
  readonly #onError: () => void;
  #isReader: boolean | undefined;
  #columns: Column[] | undefined;

  constructor(statement: Statement, onError: () => void) {
    this.#statement = statement;
    this.#onError = onError;
  }

  safeIntegers(toggle?: boolean): this {
    this.#statement.safeIntegers(toggle);
    return this;
  }

  raw(toggle?: boolean): this {
    this.#isReader ??= this.#statement.reader;
    if (!this.#isReader) throw RETURNS_NOTHING;
    this.#statement.raw(toggle);
    return this;
  }

  columns(): Column[] {
    this.#columns ??= this.#statement.columns();
    return this.#columns;
  }

  all(parameters: object = []): unknown[] {
    return this.#watched(() => this.#statement.all(parameters));
  }

  run(parameters: object = []): ReturnType<Statement['run']> {
    return this.#watched(() => this.#statement.run(parameters));
  }

  /** One that failed may not have come to its end: it is not used again. */
  #watched<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      this.#onError();
      throw error;
    }
  }
}

/** From now on `connection` compiles a statement only when it is not among those that it ran lately. */
export function keepStatements(connection: Connection): void {
  const kept = new Map<string, KeptStatement>();
  const prepare = connection.prepare.bind(connection);
  const exec = connection.exec.bind(connection);
  const close = connection.close.bind(connection);
  Object.assign(connection, {
    prepare(sql: string) {
      if (!OF_ROWS.test(sql)) {
        kept.clear();
        return prepare(sql);
      }
      let statement = kept.get(sql);
      if (statement === undefined) statement = new KeptStatement(prepare(sql), () => kept.delete(sql));
      else kept.delete(sql);
      if (sql.length > KEPT_MAX_LENGTH) return statement;
      kept.set(sql, statement);
      if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
      return statement;
    },
    exec(sql: string) {
      kept.clear();
      return exec(sql);
    },
    close() {
      kept.clear();
      return close();
    },
  });
}

/** A pool whose connections keep their statements. */
export class KeepingPool extends ConnectionPool {
  readonly #known = new WeakSet<Connection>();

  override acquireSync(forTransaction?: boolean): Connection {
    const connection = super.acquireSync(forTransaction);
    if (this.#known.has(connection)) return connection;
    this.#known.add(connection);
    keepStatements(connection);
    return connection;
  }
}
