/**
 * What a request brings with it narrows the label of its session when the request goes to an upstream, and not before: a
 * request that was refused on the way has been read by nobody. Until then every decision about it is made on the label the
 * session would have. What a conversation implies stays with its place in the history, so that nothing is forgotten.
 */
import { join, sameLabel } from '../../policy/label.ts'
import type { PolicyState } from '../../policy/types.ts'
import type { MaybePromise } from '../../state/state-store.ts'
import type { ModelCall, PendingRead, ReadingCall } from '../call.ts'
import { recordAdmission } from '../recording/recording.ts'
import { joining, narrow, withSubject } from '../sessions/narrowing.ts'

/** The state its session has once the request is sent. */
export function stateWhenSent({ session, presented }: Pick<ReadingCall, 'session' | 'presented'>): PolicyState {
  const now = session.policyState
  const label = join(now.label, presented)
  return sameLabel(label, now.label) ? now : { label, effects: now.effects }
}

/** What has narrowed its session once the request is sent, newest last. */
export function narrowedByWhenSent({ session, pending }: ReadingCall): readonly string[] {
  return pending.reduce((subjects, { subject }) => withSubject(subjects, subject), session.state.narrowedBy)
}

/** Notes something the history of the request has: it counts for every decision about the request from now on. */
export function notePresented(call: ReadingCall, read: PendingRead): void {
  notePending(call, read)
  call.presented = join(call.presented, read.label)
}

/** Notes something that is read only if the request is sent, such as what a tool of the vendor finds without a word of it. */
export function notePending(call: ReadingCall, read: PendingRead): void {
  const { label } = stateWhenSent(call)
  if (!sameLabel(label, join(label, read.label))) call.pending = [...call.pending, read]
}

/** The place the conversation goes on from has a label of its own, which a session that is new to it has not. */
export function notePlace(call: ReadingCall): void {
  const { label } = call.session.policyState
  if (sameLabel(label, join(label, call.presented))) return
  call.pending = [...call.pending, { subject: 'an earlier part of the conversation', label: call.presented, digest: null }]
}

/** The request is about to be sent: what it brings counts now. Throws while the log cannot be written: then nothing is sent, and nothing has narrowed. */
export function narrowWhenSent(call: ReadingCall): MaybePromise<void> {
  return call.pending.length === 0 ? undefined : readPending(call)
}

/**
 * A tool of the vendor's has run: what it read counts from here on. Whoever asks while that is being written waits for it too.
 * Rejects while the log cannot be written.
 */
export function narrowWhenRun(call: ModelCall): Promise<void> {
  const { ifRun } = call
  if (ifRun.length > 0) {
    call.ifRun = []
    call.narrowing = read(call, ifRun)
  }
  return call.narrowing
}

async function readPending(call: ReadingCall): Promise<void> {
  await read(call, call.pending)
  call.pending = []
}

async function read(call: ReadingCall, reads: readonly PendingRead[]): Promise<void> {
  const { session } = call
  for (const { subject, label, digest } of reads) {
    const before = session.policyState.label
    const after = join(before, label)
    if (!sameLabel(before, after)) {
      recordAdmission(call, subject, digest, before, after)
      await narrow(call, subject, joining(label))
    }
    call.presented = join(call.presented, label)
  }
}
