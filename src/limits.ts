// Every bound of the program in one place, with its unit and its reason.
import { assert } from './assert.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Cell of the checksum grid. */
export const CHUNK_BYTES = 2 * MIB;

/** A running fetch reports its first bytes at once, then each time it has written this much, or after this time. */
export const PROGRESS_BYTES = 128 * KIB;
export const PROGRESS_INTERVAL_MS = 15;

/**
 * A fetch syncs and has its bytes recorded once the larger number of them waits, or sooner, down to the smaller one,
 * where the disk is slow for the line; less at its end. Each time costs five pages of the database's log and the page
 * in which the bytes stop, which is written again: 25 kB, and as much once more for the file system's journal.
 */
export const RECORD_BYTES = 1.5 * MIB;
export const RECORD_MAX_BYTES = 2.5 * MIB;

/** Bytes that sit unrecorded no longer than this while a fetch trickles, or waits for its reader. */
export const RECORD_INTERVAL_MS = 10_000;

/**
 * Bytes of a fetch that are written and have no rows yet. A fetch stops reading its origin when the disk is this far
 * behind, so that with what the HTTP client holds besides (up to 1 MiB was seen) a kill costs 4 MiB at most.
 */
export const UNRECORDED_MAX_BYTES = 3 * MIB;

/** Room on the disk that a running fetch holds ahead of itself, taken in steps of half of it. */
export const RESERVE_AHEAD_BYTES = 16 * MIB;

/** Room that is kept free for what comes next, by evicting early, so that no fetch waits for an eviction. */
export const HEADROOM_BYTES = 64 * MIB;
/** With less room than this the disk is full for us. */
export const ROOM_MIN_BYTES = 256 * KIB;
/** How old a look at the disk's free bytes may be while something is written, and between two looks otherwise. */
export const DISK_LOOK_MS = 2_000;
export const DISK_LOOK_IDLE_MS = 60_000;
/** A disk that refused bytes is tried again after this; after the longer time when nobody waits for it. */
export const DISK_RETRY_MS = 5_000;
export const DISK_RETRY_IDLE_MS = 60_000;
/** Given up when the database needs room to evict something from a disk that has none at all. */
export const BALLAST_BYTES = 2 * MIB;

/**
 * What is served past the disk waits in memory ahead of its reader: so much at most and at least, and so much for all
 * readers of a file together while the least is not undercut.
 */
export const MEMORY_AHEAD_MAX_BYTES = 1 * MIB;
export const MEMORY_AHEAD_MIN_BYTES = 128 * KIB;
export const MEMORY_FILE_BYTES = 32 * MIB;

/** Stored bytes are compared with their checksums this far ahead of a reader, so many spans at the same time. */
export const VERIFY_AHEAD_BYTES = 8 * MIB;
export const VERIFY_SPANS_MAX = 4;

/** Read-ahead of a reader starts small, so that a dropped seek costs little, and grows with what it consumed. */
export const READ_AHEAD_START_BYTES = 512 * KIB;

/** Head and tail of a container, asked for with its first open: index tables live there. */
export const CONTAINER_EDGE_BYTES = 256 * KIB;
/** Only where asking takes long enough to be felt, and where the film is long enough for its tail to be far. */
export const EDGES_MIN_FIRST_BYTE_MS = 30;
export const EDGES_MIN_FILE_BYTES = 8 * MIB;

/**
 * More than one connection for one file: how long one is watched before another is tried, how long what a source was
 * worth is believed, and when it is tried again after it was not. Pieces that are fetched beside the first one.
 */
export const ACCELERATION_WINDOW_MS = 250;
export const ACCELERATION_MEMORY_MS = 600_000;
export const ACCELERATION_RETRY_MS = 60_000;
/** A faster connection is nobody's limit, and one that is cut short costs what was on its way. */
export const ACCELERATION_BELOW_BYTES_PER_MS = 25_000;
/** Who wants less than this is starting, or seeking: a trial would take half of a thin line from them. */
export const ACCELERATION_TRIAL_BYTES = 8 * MIB;
export const STRIPE_MIN_BYTES = 1 * MIB;
export const STRIPE_MAX_BYTES = 16 * MIB;

/** A fetch that waits for its reader longer than this gives its connection back. */
export const PAUSED_FETCH_MAX_MS = 10_000;

/** A CRITICAL fetch has the connection at least this long before an equal one may take its turn. */
export const FAIR_SLICE_MS = 2_000;

/**
 * A reader that waits for longer than this, at the connection that it has, shares its line with too many: downloads of
 * its source rest until no reader waited for the second time.
 */
export const LINE_SHORTAGE_MS = 1_000;
export const DOWNLOADS_REST_MS = 5_000;

/** Waiting work rises one priority after this long, so that LOW never starves. */
export const AGEING_MS = 60_000;

/** A shorter wait in mid-stream is nothing that a player notices: it is how bytes come from a slow origin. */
export const STALL_MIN_MS = 500;

/** Expected time to open an upstream request; a seek closer than this × speed waits for the running fetch. */
export const REOPEN_COST_MS = 500;

/** Waiting for the origin (CONTRACT.md, stream promise 9). */
export const CONNECT_TIMEOUT_MS = 10_000;
export const FIRST_BYTE_TIMEOUT_MS = 15_000;
export const STALL_TIMEOUT_MS = 20_000;
/** A reader hears within this time, whatever was tried. */
export const READER_WAIT_MAX_MS = 38_000;

/** Tries of one fetch in a row without progress, and the pause between them. */
export const FETCH_ATTEMPTS_MAX = 4;
export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

/** An origin that asks to be left alone for longer is asked again after this all the same. */
export const RETRY_AFTER_MAX_MS = 600_000;
/** What nobody waits for is asked for again at least this long after it was refused for good, and at most this long. */
export const REFUSED_PAUSE_MS = 300_000;

/** An origin that did not answer whether a file is still the same is not asked again before. */
export const RECHECK_RETRY_MS = 60_000;

/** Redirects of an origin that are followed (CONTRACT.md, stream promise 12). */
export const REDIRECTS_MAX = 5;

/** A test of a source: all of it, one step of its network, how much it fetches for its speed, and how many at once. */
export const SOURCE_TEST_MS = 30_000;
export const SOURCE_TEST_STEP_MS = 5_000;
export const SOURCE_TEST_BYTES = 1 * MIB;
export const SOURCE_TESTS_MAX = 4;

/** Period of the watchdog that looks for waiters nothing serves. */
export const WATCHDOG_PERIOD_MS = 1_000;

/**
 * Sizes of one read from a chunk file, largest first: each is handed out while all buffers in use stay within its
 * budget. `keptCount` idle ones wait for the next response.
 */
export const READ_BUFFER_TIERS: readonly {
  readonly size: number;
  readonly budget: number;
  readonly keptCount: number;
}[] = [
  { size: 512 * KIB, budget: 8 * MIB, keptCount: 8 },
  { size: 64 * KIB, budget: Number.POSITIVE_INFINITY, keptCount: 32 },
];

/** A read of what should be in the page cache is a memory copy: one that takes this long had to wait for a disk. */
export const READ_AT_ONCE_SLOW_MS = 3;
/** For how long what was read counts as being there, at least; at most twice as long, unless it is read again. */
export const RECENT_READ_MS = 30_000;
/**
 * Read at once for one response in a row; then once by the way of the event loop. A socket that takes all that it is
 * given would keep everybody else waiting for as long as its film is.
 */
export const READ_AT_ONCE_MAX_BYTES = 2 * MIB;

/** Ranges in one multipart answer; more and the Range header is ignored (RFC 9110 §14.2 allows it). */
export const MULTIPART_RANGES_MAX = 32;

/** Files whose state stays in memory after their last reader left. */
export const IDLE_FILES_MAX = 64;

/** A label is written beside a chunk file this long after its last use, and not before. */
export const LABEL_DELAY_MS = 30_000;

/** Files of which is remembered what was verified; a set of ranges each. */
export const TRUSTED_FILES_MAX = 4_096;

/** Everything is compared with its checksums about once in this time; what is due is looked for this often. */
export const SCRUB_PERIOD_MS = 30 * 86_400_000;
export const SCRUB_LOOK_MS = 600_000;

/** What was dropped by hand can be brought back for this long. */
export const UNDO_MS = 600_000;

/** Jobs that act on many entries: so many at the same time, so many remembered. */
export const JOBS_RUNNING_MAX = 2;
export const JOBS_KEPT = 20;

/**
 * What one folder's listing may be. A name of 1,024 characters is more than any file system takes; a listing that is
 * larger or slower than this is one without an end.
 */
export const LISTED_NAME_MAX = 1_024;
export const LISTING_ENTRIES_MAX = 250_000;
export const LISTING_BYTES_MAX = 96 * MIB;
export const LISTING_TIME_MAX_MS = 600_000;

/** How deep and how wide a source is gone through: what is beyond this is a tree without an end. */
export const CATALOGUE_DEPTH_MAX = 32;
export const CATALOGUE_FOLDERS_MAX = 100_000;
export const CATALOGUE_FILES_MAX = 1_000_000;
/** Folders of one source that are read at the same time while nobody plays of it; one otherwise. */
export const CATALOGUE_REQUESTS = 2;
/** Files that are written in one batch: a few milliseconds. */
export const CATALOGUE_BATCH = 20;
/** Sources that are gone through at the same time. */
export const CATALOGUE_SYNCS_MAX = 2;
/** After the start, until the first source is gone through; how often is looked for one that is due. */
export const CATALOGUE_FIRST_MS = 10_000;
export const CATALOGUE_LOOK_MS = 60_000;
/** A source that broke off is tried again after this. */
export const CATALOGUE_RETRY_MS = 900_000;
/** A folder is read whole once in a while, whatever the source says of its version. */
export const CATALOGUE_TRUST_MS = 7 * 86_400_000;

/**
 * Players that name what is not listed have its source asked: how long its word holds, how many questions there may be
 * at once and in a row, and how soon one more. Whoever tries names is to be nobody's load.
 */
export const UNLISTED_TRUST_MS = 30_000;
export const UNLISTED_AT_ONCE = 8;
export const UNLISTED_IN_A_ROW = 60;
export const UNLISTED_PERIOD_MS = 500;

/** Items that are asked for at the same time because somebody looks at them, and searches of sources. */
export const ITEM_READS_MAX = 8;
export const SOURCE_SEARCHES_MAX = 4;

/** An item that somebody looks at: how long what its source said is good for, what is waited, and what it may take. */
export const ITEM_TRUST_MS = 600_000;
export const ITEM_WAIT_MS = 3_000;
export const ITEM_READ_MS = 30_000;

/**
 * HLS: how far ahead of who plays is fetched, in playing time and in pieces; when a stream counts as left; how old a
 * live playlist may be; how soon addresses are asked anew at most; how often the rows of who plays are looked after; how
 * long servers are told of an end; how many streams are remembered; what a playlist may be; and how many characters of
 * playlists are in memory of one stream (a long film with twenty sounds and signed addresses has some twenty million) and
 * of all.
 */
export const HLS_AHEAD_MS = 60_000;
export const HLS_AHEAD_PIECES = 20;
export const HLS_IDLE_MS = 90_000;
export const HLS_LIVE_MS = 1_000;
export const HLS_RENEW_MS = 5_000;
export const HLS_ENSURE_MS = 30_000;
export const HLS_STOP_MS = 1_000;
export const HLS_STREAMS_MAX = 64;
export const HLS_STREAM_MAX_LENGTH = 32 * MIB;
export const HLS_ALL_MAX_LENGTH = 96 * MIB;
export const PLAYLIST_MAX_BYTES = 8 * MIB;
export const PLAYLIST_WAIT_MS = 20_000;

/** Pieces of live playlists that are passed through at once: each has a connection to its server of its own. */
export const HLS_LIVE_PIECES_MAX = 64;

/** A player keeps the quality that was chosen for it while it comes back within this time; so many are remembered. */
export const AUTO_QUALITY_MS = 6 * 3_600_000;
export const AUTO_QUALITIES_MAX = 2_000;

/** What a source may take to find what somebody typed, before the others are shown without it. */
export const SOURCE_SEARCH_MS = 8_000;

/** Folders that somebody looks at: how long is waited for the source, what is shown, and for how long it is kept. */
export const FOLDER_WAIT_MS = 12_000;
export const FOLDER_ENTRIES_MAX = 10_000;
export const FOLDER_KEPT_MS = 15_000;
export const FOLDERS_KEPT = 16;

/** Longest path below a source, in characters, and what a request may bring. */
export const PATH_LENGTH_MAX = 8 * KIB;
export const HEADERS_TIMEOUT_MS = 20_000;
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** Bodies of forms and of requests to the API. */
export const FORM_MAX_BYTES = 256 * KIB;
/** What they may take to come, and how many of one address may be on their way. */
export const BODY_TIMEOUT_MS = 30_000;
export const BODIES_PER_ADDRESS_MAX = 32;

/** Requests besides streams: worked on at once, waiting for that (past it: 503), and when one's place goes to another. */
export const REQUESTS_AT_ONCE = 8;
export const REQUESTS_WAITING_MAX = 128;
export const REQUEST_SLOT_MS = 250;

/** The certificate of Larder itself is looked at again this often; a port that was lost on the way this often. */
export const CERTIFICATE_LOOK_MS = 30_000;
export const LISTEN_RETRY_MS = 1_000;

/** Streams open at once; past this a reader is told 503 with Retry-After. */
export const READERS_MAX = 2_000;

/** Live pages open at once, and streams of events of the API: in all, of one session or token, and kept for owners. */
export const LIVE_STREAMS_MAX = 32;
export const LIVE_STREAMS_PER_CALLER = 8;
export const LIVE_STREAMS_FOR_OWNERS = 8;
export const LIVE_PERIOD_MS = 1_000;
export const LIVE_HEARTBEAT_MS = 15_000;

/** Counters are added up in memory and written this often, to spare SD cards. */
export const STATISTICS_FLUSH_MS = 60_000;
/** How finely the history of traffic is looked at: the shortest span that is kept. */
export const TRAFFIC_LOOK_MS = 10_000;

/** The write-ahead log is moved into the database this often, and when it has grown past this size. */
export const CHECKPOINT_PERIOD_MS = 60_000;

/** Characters of a password. */
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 256;
/** Passwords that wait for their turn to be checked; each takes up to a quarter of a second. */
export const PASSWORD_CHECKS_WAITING_MAX = 16;

/** A session ends when it was not used for so long, and after the longer time in any case. */
export const SESSION_IDLE_MS = 30 * 86_400_000;
export const SESSION_MAX_MS = 180 * 86_400_000;
/** Last use of sessions and tokens is written no more often than this, to spare SD cards. */
export const LAST_USE_WRITE_MS = 60_000;
/** Another process that ends a session or a token is heard of within this time. */
export const RIGHTS_LOOK_MS = 2_000;
/** Sessions and tokens that are remembered, so that a request costs no statement. */
export const REMEMBERED_RIGHTS_MAX = 1_000;

/** Tries that cost nothing, then a delay that doubles with each, and is never longer than this. */
export const FREE_TRIES = 3;
export const TRY_DELAY_FIRST_MS = 1_000;
export const ADDRESS_DELAY_MAX_MS = 60_000;
export const ACCOUNT_DELAY_MAX_MS = 60_000;
/** Failed tries are forgotten after this; of so many addresses and names is remembered at most. */
export const TRIES_KEPT_MS = 86_400_000;
export const THROTTLED_KEYS_MAX = 10_000;
/** Wrong tries of the set-up code in a minute: from one address, and in all. */
export const SETUP_TRIES_PER_MINUTE = 5;
export const SETUP_TRIES_PER_MINUTE_TOTAL = 60;

/** A signed stream address is good for this long unless another time is asked for, and for at most the second. */
export const SIGNED_ADDRESS_MS = 86_400_000;
export const SIGNED_ADDRESS_MAX_MS = 30 * 86_400_000;

/** SIGTERM to exit (CONTRACT.md: at most 5 s). Readers of what is cached go on for the first part of it. */
export const STOP_DEADLINE_MS = 4_500;
export const STOP_READERS_MS = 2_000;

assert(READ_AHEAD_START_BYTES >= PROGRESS_BYTES, 'read-ahead must be larger than one progress step');
assert(RECORD_BYTES <= RECORD_MAX_BYTES, 'the longest step is no shorter than the others');
assert(RECORD_MAX_BYTES < UNRECORDED_MAX_BYTES, 'the record step must fit the bound');
assert(CONNECT_TIMEOUT_MS < FIRST_BYTE_TIMEOUT_MS, 'connecting is part of the wait for the first byte');
assert(
  FIRST_BYTE_TIMEOUT_MS + STALL_TIMEOUT_MS < READER_WAIT_MAX_MS + BACKOFF_FIRST_MS,
  'a reader outlasts one silent try',
);
