/** Faults of the decision log: records that may be lost, altered or cut off without anybody noticing. */
import type { Mutant } from '../mutant.ts'

const storage = 'gateway/src/audit/log-storage.ts'
const writerTests = ['gateway/src/audit/log-writer.test.ts']
const verifyTests = ['gateway/src/audit/verify.test.ts', 'gateway/src/audit/verify.mutants.test.ts']
const durable = ['gateway/src/invariants/03-']
const spans = 'gateway/src/audit/record-spans.ts'
const spanTests = ['gateway/src/audit/record-spans.test.ts']

export const auditFaults: readonly Mutant[] = [
  {
    name: 'log-is-not-synchronous',
    file: storage,
    find: 'PRAGMA synchronous = FULL',
    replace: 'PRAGMA synchronous = OFF',
    tests: [...writerTests, ...durable],
  },
  {
    name: 'log-answers-before-the-commit',
    file: 'gateway/src/audit/log-writer.ts',
    find: '      if (error !== undefined) return reject(error)\n',
    replace: '      if (error !== undefined) return reject(error)\n      resolve()\n',
    tests: [...writerTests, ...durable],
  },
  {
    name: 'log-thread-answers-before-the-commit',
    file: 'gateway/src/audit/log-worker.ts',
    find: 'const why = attempt(() => storage.commit(',
    replace:
      'const late = (work: () => void): string | undefined => void setTimeout(work, 300)\n        const why = late(() => storage.commit(',
    tests: [...writerTests, ...durable],
  },
  {
    name: 'failed-commit-keeps-its-rows',
    file: storage,
    find: "this.#database.exec('ROLLBACK')",
    replace: "this.#database.exec('COMMIT')",
    tests: ['gateway/src/audit/log-storage.mutants.test.ts'],
  },
  {
    name: 'failed-commit-is-forgotten',
    file: 'gateway/src/audit/log-worker.ts',
    find: "if (why !== undefined) return send({ type: 'failed', why })",
    replace: 'void why',
    tests: writerTests,
  },
  {
    name: 'log-queue-is-unbounded',
    file: 'gateway/src/audit/record-queue.ts',
    find: '{ records: 10_000, bytes: 64 * 1024 * 1024, record',
    replace: '{ records: Infinity, bytes: Infinity, record',
    tests: writerTests,
  },
  {
    name: 'second-writer-is-let-in',
    file: storage,
    find: 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE',
    replace: 'PRAGMA journal_mode = MEMORY',
    tests: writerTests,
  },
  {
    name: 'removed-log-is-written-on',
    file: storage,
    find: 'if (found?.ino !== this.#inode) throw',
    replace: 'if (found === null) throw',
    tests: writerTests,
  },
  {
    name: 'altered-end-is-continued',
    file: storage,
    find: 'if (nextHash(previous, record) === hash) return { seq, hash }',
    replace: 'if (previous !== record) return { seq, hash }',
    tests: [...writerTests, ...verifyTests],
  },
  {
    name: 'chain-ignores-the-record-before',
    file: 'gateway/src/audit/chain.ts',
    find: 'sha256(`${previous}\\n${json}`)',
    replace: 'sha256(previous === json ? previous : json)',
    tests: verifyTests,
  },
  {
    name: 'checkpoint-signature-is-not-verified',
    file: 'gateway/src/audit/verify-checkpoints.ts',
    find: 'if (sources.key !== undefined && isSignedBy(checkpoint, sources.key)) valid.set',
    replace: 'if (sources.key !== undefined) valid.set',
    tests: verifyTests,
  },
  {
    name: 'cut-tail-is-not-noticed',
    file: 'gateway/src/audit/verify.ts',
    find: 'lastCheckpoint.seq > verifier.lastSeq',
    replace: 'lastCheckpoint.seq < 0',
    tests: verifyTests,
  },
  {
    name: 'removed-records-are-not-noticed',
    file: 'gateway/src/audit/verify-chain.ts',
    find: 'if (row.seq !== this.lastSeq + 1) {',
    replace: 'if (row.seq < this.lastSeq) {',
    tests: verifyTests,
  },
  {
    name: 'signed-hash-is-not-compared',
    file: 'gateway/src/audit/verify-chain.ts',
    find: 'if (signed !== undefined && signed !== hash) {',
    replace: "if (signed === '') {",
    tests: verifyTests,
  },
  {
    name: 'record-hidden-by-its-turn-is-not-noticed',
    file: 'gateway/src/audit/verify-chain.ts',
    find: 'key !== null && !this.#isFound',
    replace: "key !== null && kind !== 'turn' && !this.#isFound",
    tests: spanTests,
  },
  {
    name: 'record-hidden-by-its-session-is-not-noticed',
    file: 'gateway/src/audit/verify-chain.ts',
    find: 'key !== null && !this.#isFound',
    replace: "key !== null && kind !== 'session' && !this.#isFound",
    tests: spanTests,
  },
  {
    name: 'record-that-is-not-json-is-not-noticed',
    file: 'gateway/src/audit/verify-chain.ts',
    find: 'if (belonging === undefined) this.problems.push',
    replace: 'if (belonging === null) this.problems.push',
    tests: verifyTests,
  },
  { name: 'place-of-a-record-stays-too-short', file: spans, find: 'else span.last = seq', replace: '', tests: spanTests },
  { name: 'places-are-not-noted-again-after-a-start', file: storage, find: '      this.#noteUnindexed()\n', replace: '', tests: spanTests },
  {
    name: 'places-count-before-they-are-written',
    file: storage,
    find: 'if (indexes) this.#spans.write(before)',
    replace: '',
    tests: spanTests,
  },
  {
    name: 'newest-records-are-not-looked-through',
    file: spans,
    find: 'last: Number.MAX_SAFE_INTEGER }]',
    replace: 'last: 0 }]',
    tests: spanTests,
  },
  {
    name: 'turn-is-taken-from-what-a-record-says',
    file: 'gateway/src/audit/read.ts',
    find: 'if (wanted.every(([kind, key]) => found.record[kind] === key)) yield found',
    replace: 'yield found',
    tests: spanTests,
  },
  {
    name: 'removed-checkpoint-is-not-noticed',
    file: 'gateway/src/audit/verify-checkpoints.ts',
    find: 'if (checkpoint.seq - checkpoint.count !== before)',
    replace: 'if (checkpoint.seq - checkpoint.count < 0)',
    tests: verifyTests,
  },
]
