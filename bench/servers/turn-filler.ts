/** Writes turns of six records each into a data folder, as the gateway's own writer does: people, models and tools as a team has them. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { openDecisionLog } from '../../gateway/src/audit/log-writer.ts'
import { silentLogger } from '../../gateway/src/core/logger.ts'

const [dataDir = '', count = '0'] = process.argv.slice(2)
const turns = Number(count)
const inBatch = 300
const began = Date.now() - turns * 1000
const log = await openDecisionLog({
  place: { kind: 'sqlite', dataDir },
  checkpointRecords: 10_000,
  checkpointMs: 60_000,
  logger: silentLogger,
})

/** What happened in the turn of a number, a second after the one before. */
function recordsOf(number: number): readonly DecisionRecord[] {
  const time = began + number * 1000
  const isRefused = number % 50 === 0
  const label = { trust: number % 3 === 0 ? 'untrusted' : 'trusted', audience: [] }
  const record = (step: number, fields: Partial<DecisionRecord>): DecisionRecord => ({
    v: 1,
    id: `dec_0mx0wmrpexUT5rdT${number}-${Math.floor(step / 2)}`,
    type: step % 2 === 0 ? 'decision' : 'outcome',
    kind: 'tool_call',
    time: time + step * 100,
    principal: `person-${number % 200}`,
    groups: [`team-${number % 20}`, 'staff'],
    actor: 'bench-agent',
    key: `key-${number % 200}`,
    session: `ses_0mx0wmrpexUT5rdT${Math.floor(number / 5)}`,
    turn: `turn_${number}`,
    modelCall: `mc_${number}`,
    subject: `crm__tool_${number % 40}`,
    labelBefore: label,
    labelAfter: label,
    verdict: 'allow',
    action: 'release',
    rules: ['grant #1'],
    reason: 'granted by grant #1',
    credential: 'server:crm',
    revision: '0123456789ab',
    ...fields,
  })
  const model = { kind: 'model_call', subject: `model-${number % 5}`, upstream: 'vendor', credential: 'upstream:vendor' } as const
  const ended = { outcome: 'ok', latencyMs: 100 } as const
  return [
    record(0, model),
    record(2, { kind: 'tool_proposal', toolCallId: 'call_1', ...(isRefused ? { verdict: 'deny', action: 'refuse' } : {}) }),
    record(4, { toolCallId: 'call_1', ticket: 'matched' }),
    record(5, { toolCallId: 'call_1', ticket: 'matched', ...ended }),
    record(1, {
      ...model,
      ...ended,
      usage: { inputTokens: 900, outputTokens: 80 },
      cost: { amount: 0.002, currency: 'USD', prices: 'bench' },
    }),
    record(6, { kind: 'admission', subject: 'crm__read' }),
  ]
}

for (let from = 0; from < turns; from += inBatch) {
  const numbers = Array.from({ length: Math.min(inBatch, turns - from) }, (_, at) => from + at)
  await Promise.all(numbers.flatMap(recordsOf).map((record) => log.appendDurably(record)))
}
await log.close()
