/** What a record says of something that a caller may not use: which line denies it, or that none allows it. */
import type { DecisionRecord } from '@turnward/contract/decision'
import { asTurnwardError } from '../../core/error.ts'
import { Ungranted, ungranted } from '../../policy/ungranted.ts'

/** Where no line denies it: there may be no such thing. */
export const noModel = 'No grant gives this principal the model, or no route serves it.'
export const nothingThere = 'No grant gives this principal the gateway or what was asked for, or there is none of that name.'

/** The parts of the record of a `grant.*` error, or of a stop. `otherwise`: the reason where nothing but the absence of a grant denies it. */
export function whyNotGranted(thrown: unknown, what: string, otherwise: string): Pick<DecisionRecord, 'rules' | 'reason' | 'gaps'> {
  const { code, cause, subject = '' } = asTurnwardError(thrown)
  if (code === 'stop.stopped') {
    const detail = `an administrator has stopped this ${subject}`
    return { rules: ['stop'], reason: `An administrator has stopped this ${subject}.`, gaps: [{ kind: 'stop', detail, source: 'stop' }] }
  }
  const ruling = cause instanceof Ungranted && !cause.ruling.allowed ? cause.ruling : { allowed: false, source: 'grants' }
  const { detail, source } = ungranted(ruling, what)
  const reason = source === 'grants' ? otherwise : `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`
  return { rules: [source], reason, gaps: [{ kind: 'grant', detail: source === 'grants' ? 'it is not granted' : detail, source }] }
}
