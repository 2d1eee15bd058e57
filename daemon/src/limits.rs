//! Every capacity, timeout and size in the service, each with its reason. None is a setting: a
//! person never needs them, and a test of the service runs with the real ones.

use std::time::Duration;

/// How often what another machine committed to a shared index is looked for: a request to the store each time, and
/// as long as people wait who save on one machine and ask on another.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(5);

/// Clients served at once; the next one waits to be accepted. Each costs a few kilobytes.
pub const SESSIONS_MAX: usize = 64;
/// Events waiting for one client to read them; when full, whoever answers that client waits.
pub const OUTBOX_EVENTS_MAX: usize = 64;
/// How long a client may leave a full socket unread before it is dropped.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(10);
/// How long a session that ends waits for its last events to be taken.
pub const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long a client may take to say hello.
pub const HELLO_WAIT_MAX: Duration = Duration::from_secs(5);
/// Jobs of one client, superseded asks that still say so among them; past this its next request
/// is not read until one has ended.
pub const JOBS_PER_SESSION_MAX: usize = 64;
/// Requests other than asks that one client may have in work; the next is refused as busy.
pub const REQUESTS_PER_SESSION_MAX: usize = 16;
/// Pause after `accept` fails, which it does while the process has no file descriptor to spare.
pub const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Least time between two `indexing` events to one client; ten a second look like motion.
pub const STATUS_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// How often the file of a `fore train` is looked at while anyone is subscribed: it is written once
/// a second, so more often would show nothing new.
pub const TRAINING_LOOK_EVERY: Duration = Duration::from_secs(1);
/// From the order to stop until a part that has not ended is named and left behind.
pub const SHUTDOWN_WAIT_MAX: Duration = Duration::from_secs(5);

/// Jobs of people who wait; more than this and the newest is told to try again.
pub const LANE_INTERACTIVE_MAX: usize = 8;
/// Jobs of the indexer; one in work and one ready keep the model busy.
pub const LANE_BACKGROUND_MAX: usize = 2;
/// How long the model's thread has nothing to do before it gives freed memory back: longer than the second for which
/// the allocator keeps it.
pub const TIDY_AFTER: Duration = Duration::from_secs(2);
/// Bytes of the block that is taken and freed for that, never touched: it has a place of its own at the allocator's.
pub const TIDY_BYTES: usize = 32 << 20;
/// How often, since each time looks at one of the allocator's areas, of which there are a few.
pub const TIDY_TIMES: usize = 4;
/// Thought pieces beyond one per token: a last piece and an incomplete character per thought.
pub const DELTAS_SPARE: usize = 64;
/// How long a question may be thought about before the draft ranking becomes the answer.
pub const THINK_MAX: Duration = Duration::from_secs(120);

/// Passages that are read if that is all there is time for: beyond ten, reading thirty was seen to
/// bring nothing more (six development sets).
pub const READ_PASSAGES: usize = 10;
/// Passages that are read at most, however fast the machine.
pub const READ_PASSAGES_MAX: usize = 50;
/// Tokens of a passage that are read, the widest that there is time for: with 64 in place of 128 most of
/// what reading brings was seen to stay. In steps, so that the same question is answered alike although
/// the machine is never quite as fast as before.
pub const READ_WINDOWS: [usize; 4] = [48, 64, 96, 128];
/// Tokens of what is read that are neither the passage's nor the question's.
pub const READ_OVERHEAD_TOKENS: usize = 8;
/// Tokens a second that a machine is taken to read until it was seen to: a little less than two slow
/// cores do.
pub const READ_PACE_FIRST: u32 = 500;

/// Passages taken from each ranking before they are fused; at least [`daemon_protocol::LIMIT_MAX`],
/// and what both rank past a hundred is seldom among the first ten of their sum.
pub const CANDIDATES: usize = 100;
/// How deep is searched, one after the other until [`CANDIDATES`] are left, where filters drop what is
/// found. A passage in ten is then left of the first, and one in a hundred of the last, whose texts are
/// some ten megabytes.
pub const SIFTED_DEPTHS: [usize; 3] = [2 * CANDIDATES, 10 * CANDIDATES, 100 * CANDIDATES];
/// Phrases that a question is held to, each of which is searched for too.
pub const PHRASES_MAX: usize = 8;
/// Kinds of files that a status names, the most frequent ones: names may end in anything, and a status must
/// fit one frame.
pub const KINDS_MAX: usize = 32;
/// Everything is searched, and what is out of scope dropped, where that is at most one passage in so many:
/// the store may then use its index, and a list of nearly all paths costs more than a few more passages.
/// The answer is the same, since a search whose first [`SIFTED_DEPTHS`] leave too few is made in scope.
pub const NEARLY_ALL_LEAVES: usize = 10;
/// Documents in scope from which on they are named by runs of paths: to look up a list of so many takes
/// about as long as the search.
pub const RUNS_DOCUMENTS_MIN: usize = 500;
/// Runs that the documents in scope may form: a folder is one or a few, files of one kind in all folders are many,
/// and then they are listed one by one.
pub const RUNS_MAX: usize = 64;
/// Passages of one document before all its others come last: of the ten hits that are asked for
/// unless told otherwise, at least four documents are seen then, if that many match.
pub const PASSAGES_PER_DOCUMENT: usize = 3;
/// Characters of a snippet: about four terminal lines.
pub const SNIPPET_CHARS_MAX: usize = 320;
/// Characters of a title or heading trail on the wire, so that a hundred hits fit one frame.
pub const LABEL_CHARS_MAX: usize = 300;

/// Words of a passage that a mark is shown by.
pub const MARK_OPENING_WORDS: usize = 24;
/// Words from which on a marked text is known wherever it stands; what is shorter ("see above") may stand anywhere.
pub const MARK_TELLING_WORDS: usize = 12;
/// Bytes of the file of marks that are read: ten times as many as [`daemon_protocol::MARKS_MAX`] with usual questions
/// and paths.
pub const MARKS_FILE_BYTES_MAX: u64 = 32 << 20;
/// Bytes of questions, paths and texts in one event of marks: escaped, they fit one frame.
pub const MARKS_EVENT_BYTES_MAX: usize = 128 << 10;

/// Passages embedded in one job. An ask waits for at most one such job.
pub const BATCH_PASSAGES_MAX: usize = 8;
/// Tokens embedded in one job: about a second on two cores. One passage may exceed it.
pub const BATCH_TOKENS_MAX: usize = 512;
/// How long a drive may take from one sign of life to the next: a disk that spins up takes ten seconds, a slow
/// network as long, and an indexer that waits for one file embeds no other.
pub const ANSWER_MAX: Duration = Duration::from_secs(30);
/// Files in a row without an answer after which their watched folder is taken to hang: each was waited for.
pub const LATE_MAX: usize = 3;
/// Threads of one kind that wait for a drive, or look at it, in one watched folder: those that it never lets
/// go of cost some kilobytes each until the daemon ends.
pub const OUT_MAX: usize = 4;
/// Threads that wait for something to ask a drive; as many as a look at all folders has use for.
pub const IDLE_MAX: usize = WALKS_MAX;
/// Watched folders that are walked at once: one that hangs keeps the next from its turn, and a disk that is asked
/// for more at a time is slower for all.
pub const WALKS_MAX: usize = 4;
/// Bytes of a file between two signs of life: a second of a slow network.
pub const PIECE_BYTES: u64 = 1 << 20;
/// How long the reading of one file that is no text may take; a book of a thousand pages takes seconds.
pub const CONVERT_TIME_MAX: Duration = Duration::from_secs(30);
/// How long the parsing of one file of source code may take, milliseconds as a rule and seconds for what a program
/// wrote; past this it is cut by its indentation.
pub const OUTLINE_TIME_MAX: Duration = Duration::from_secs(15);
/// Files after which the process that reads them is replaced, lest what its libraries leak adds up.
pub const WORKER_FILES_MAX: usize = 100;
/// Time spent in reading after which it is replaced too.
pub const WORKER_TIME_MAX: Duration = Duration::from_secs(60);
/// Files that could not be converted that are remembered, the latest ones: each costs some hundred bytes, and one
/// that is forgotten is met again at the next start.
pub const REFUSALS_MAX: usize = 4096;
/// Bytes of them that are read: four times as many with usual paths, and most of them with the longest.
pub const REFUSALS_BYTES_MAX: u64 = 16 << 20;
/// Passages gathered from several files before they are sorted by length into batches.
pub const GATHER_PASSAGES: usize = 4 * BATCH_PASSAGES_MAX;
/// Touched files that are remembered: each costs some three hundred bytes, and one that is not is read again after a
/// start.
pub const TOUCHED_MAX: usize = 100_000;
/// Bytes of them that are read: twice as many with usual paths.
pub const TOUCHED_BYTES_MAX: u64 = 64 << 20;
/// Bytes of a file that is embedded as it comes, in a second or two on a slow machine; larger ones come after all of
/// these.
pub const SMALL_BYTES: u64 = 32 << 10;
/// Files gathered at most, so that many empty ones do not hold up the next order.
pub const GATHER_DOCUMENTS_MAX: usize = 32;
/// How long files are read before what was read is embedded, or the next order is looked at: a folder of
/// scanned papers takes seconds a file and gives nothing to embed. One file may take longer.
pub const GATHER_TIME_MAX: Duration = Duration::from_secs(1);
/// How long a file that was saved and read is left alone although it is saved again, for each of its
/// passages: some five times what embedding it takes, so that one that is written all the time takes
/// a fifth of the model's time.
pub const REST_PER_PASSAGE: Duration = Duration::from_millis(500);
/// Times that saved files may interrupt the embedding of others; each holds its files in memory.
/// The next such time, what was begun last is given up and read again later.
pub const WORKS_MAX: usize = 4;
/// Documents in one commit: a commit costs the same for one as for many.
pub const COMMIT_DOCUMENTS_MAX: usize = 64;
/// Passages in one commit, which bounds the memory that waits for it.
pub const COMMIT_PASSAGES_MAX: usize = 2048;
/// How long an embedded document waits for its commit while others are still being embedded.
pub const COMMIT_WAIT_MAX: Duration = Duration::from_secs(5);
/// Least time between two upkeeps of the store after a few passages, as those of saved files.
pub const MAINTAIN_INTERVAL_MIN: Duration = Duration::from_secs(60);
/// And between two after at least [`MAINTAIN_PASSAGES`]: a search splits the words of each passage that its index
/// does not cover, some thousands in a second.
pub const MAINTAIN_INTERVAL_BUSY: Duration = Duration::from_secs(5);
/// Times what the last upkeep took that lie between its begin and the next one's, so that a large table, in which it
/// takes minutes, is not maintained all the time.
pub const MAINTAIN_SHARE: u32 = 10;
/// Passages stored since the last upkeep that make the next one due soon.
pub const MAINTAIN_PASSAGES: usize = 512;
/// After this, what could not be stored, or what another model lacks before it can serve, is tried
/// again: a disk that is full or a drive that is away may be that for hours.
pub const RETRY_AFTER: Duration = Duration::from_secs(60);
/// How much lower than others' the priority of a thread is that looks at files, of nineteen steps: with a tenth of
/// the time of one that is not, so that it is slow on a busy machine and does not stand still.
pub const NICE: i32 = 10;
/// How often is looked whether the machine is needed otherwise, while there is something to index: often enough to be
/// out of the way of what someone starts, seldom enough to cost nothing, and two hundred of the kernel's ticks, by which
/// the time of programs is counted.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Percent of the time in which is indexed while others need the machine.
pub const BUSY_PERCENT: u32 = 10;
/// How often what is told of a pause is made anew: it counts minutes.
pub const PAUSE_TOLD_EVERY: Duration = Duration::from_secs(60);
/// Longest rest between two batches that a budget asks for: a machine that slept for an hour meanwhile is no batch that
/// took an hour.
pub const REST_MAX: Duration = Duration::from_secs(60);
/// Files of one save that are embedded whoever else needs the machine: more are no save by hand, but a checkout.
pub const SAVED_FEW: usize = 16;
/// How long passages wait in a row for a question that is being answered, between whose parts a batch would else come:
/// longer than an answer with a thought takes on two cores, and short for someone who waits for a saved file.
pub const ATTENTION_MAX: Duration = Duration::from_secs(5);
/// Longest pause that has an end: whoever wants more has no end in mind, and can leave it out.
pub const PAUSE_MAX: Duration = Duration::from_secs(31 * 24 * 3600);
/// A round younger than this says nothing about its pace.
pub const ETA_AFTER: Duration = Duration::from_secs(2);

/// Events from the system that wait to be settled; when full, the folders are rescanned.
pub const WATCH_EVENTS_MAX: usize = 1024;
/// Changed paths gathered while settling; past this, a rescan is cheaper than a list.
pub const CHANGED_PATHS_MAX: usize = 4096;
/// A path is looked at once nothing has changed for this long; editors save in several steps.
pub const SETTLE_QUIET: Duration = Duration::from_millis(300);
/// The same where each was closed by whoever wrote it, or put in place whole: some editors do so twice.
pub const SETTLE_WHOLE: Duration = Duration::from_millis(50);
/// And at the latest after this, however busy the folder is.
pub const SETTLE_MAX: Duration = Duration::from_secs(2);
/// How often a folder that could not be watched is tried again.
pub const REWATCH_INTERVAL: Duration = Duration::from_secs(60);

/// Entries of a folder that are counted in order to say why it gives no document: more words need not be true
/// to the last file.
pub const NOTHING_ENTRIES_MAX: usize = 10_000;
/// Watched folders; each costs a walk at every rescan.
pub const FOLDERS_MAX: usize = 256;
/// Bytes of the folders file that are read; 256 paths of 4096 bytes fit twice.
pub const FOLDERS_FILE_BYTES_MAX: u64 = 4 << 20;
