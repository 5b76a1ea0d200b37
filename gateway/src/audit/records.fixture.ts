/** Decision records for the tests of this room. */
import type { DecisionRecord } from '@turnward/contract/decision'

let made = 0

export function decision(parts: Partial<DecisionRecord> = {}): DecisionRecord {
  made += 1
  return {
    v: 1,
    id: `dec_${made}`,
    type: 'decision',
    kind: 'tool_call',
    time: 1_700_000_000_000 + made,
    principal: 'alice',
    actor: null,
    key: 'ci',
    session: 'ses_1',
    turn: 'turn_1',
    subject: 'mail__send',
    labelBefore: null,
    labelAfter: null,
    verdict: 'allow',
    action: 'allow',
    rules: ['grant #1'],
    reason: 'granted',
    credential: 'none',
    revision: 'r1',
    ...parts,
  }
}
