/** Faults in the connections to upstreams: an answer read in two ways, a connection used when it should be closed, a request that says more than it should. */
import type { Mutant } from '../mutant.ts'

const head = 'gateway/src/http1/answer-head.ts'
const parser = 'gateway/src/http1/answer-parser.ts'
const connection = 'gateway/src/http1/connection.ts'
const pool = 'gateway/src/http1/pool.ts'
const request = 'gateway/src/http1/request-head.ts'
const chunks = 'gateway/src/http1/chunk-writer.ts'
const tests = ['gateway/src/wire/http1/']

export const http1Faults: readonly Mutant[] = [
  {
    name: 'answer-with-length-and-chunks-is-read',
    file: head,
    find: "if (length !== undefined) throw new HttpError('HTTP_MALFORMED', 'both a length and a transfer coding')",
    replace: '',
    tests,
  },
  {
    name: 'repeated-content-length-is-read',
    file: head,
    find: "(typeof length !== 'string' || !digits.test(length))",
    replace: '!digits.test(String(length).split(",")[0] ?? "")',
    tests,
  },
  { name: 'header-value-may-hold-control-characters', file: head, find: '!fieldValue.test(value)', replace: 'false', tests },
  {
    name: 'answer-of-unknown-end-is-followed-by-another',
    file: head,
    find: "framing === 'chunked' ? isNewer : framing !== 'until-close'",
    replace: 'true',
    tests,
  },
  {
    name: 'endless-head-is-kept',
    file: parser,
    find: "if (this.#partialLength === maxHead) throw new HttpError('HTTP_MALFORMED', 'its head is too long')",
    replace: '',
    tests,
  },
  {
    name: 'chunk-need-not-end-where-it-said',
    file: parser,
    find: "        expect(byte, carriageReturn)\n        this.#state = 'data-line-feed'",
    replace: "        this.#state = 'data-line-feed'",
    tests,
  },
  {
    name: 'bytes-nobody-asked-for-are-read',
    file: parser,
    find: "if (this.#state === 'idle') throw",
    replace: "if (this.#state === 'idle') return\n    if (false) throw",
    tests,
  },
  {
    name: 'bytes-after-an-answer-are-ignored',
    file: parser,
    find: 'this.#sink.onComplete(at === length)',
    replace: 'this.#sink.onComplete(true)',
    tests,
  },
  {
    name: 'what-is-read-is-not-copied',
    file: parser,
    find: 'this.#sink.onBody(copyOf(bytes, at, end))',
    replace: 'this.#sink.onBody(bytes.subarray(at, end))',
    tests,
  },
  {
    name: 'connection-is-used-after-close',
    file: connection,
    find: 'isLast && !this.#isFull && this.#persistent &&',
    replace: 'isLast && !this.#isFull &&',
    tests,
  },
  {
    name: 'connection-is-used-with-its-request-unsent',
    file: connection,
    find: ' && this.#socket.writableLength === 0',
    replace: '',
    tests,
  },
  { name: 'connection-is-used-before-all-was-read', file: connection, find: ' && !this.#isFull', replace: '', tests },
  {
    name: 'given-up-exchange-leaves-its-connection',
    file: connection,
    find: '    this.#parser.stop()\n    this.#socket.destroy()',
    replace: '    this.#parser.stop()',
    tests,
  },
  {
    name: 'silent-body-is-waited-for',
    file: connection,
    find: 'bodyTimeoutMs > 0 && quietMs >= bodyTimeoutMs + tickMs',
    replace: 'false',
    tests,
  },
  { name: 'connections-without-bound', file: pool, find: 'this.#all.size >= this.#connections ||', replace: '', tests },
  {
    name: 'secure-connection-is-free-before-all-was-read',
    file: pool,
    find: 'if (!this.origin.secure) {',
    replace: 'if (this.origin.secure || true) {',
    tests,
  },
  {
    name: 'given-up-request-is-sent',
    file: pool,
    find: '  #leaveQueue = (exchange: RunningExchange): void => {\n    this.#queue.delete(exchange)',
    replace: '  #leaveQueue = (_exchange: RunningExchange): void => {',
    tests,
  },
  {
    name: 'header-may-begin-another-line',
    file: request,
    find: 'if (!fieldValue.test(value)) throw',
    replace: 'if (value === undefined) throw',
    tests,
  },
  {
    name: 'header-may-change-the-framing',
    file: request,
    find: 'if (connectionHeaders.has(name) || connectionHeaders.has(name.toLowerCase())) throw',
    replace: 'if (connectionHeaders.has(`${name} `)) throw',
    tests,
  },
  {
    name: 'old-client-gets-chunk-frames',
    file: chunks,
    find: 'response.headersSent && response.chunkedEncoding && response',
    replace: 'response.headersSent && response',
    tests,
  },
]
