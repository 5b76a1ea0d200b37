/** Looks at what a model answers, and puts back what its request had placeholders for. */
import type { JsonObject } from '../../core/json.ts'
import type { Dialect } from '../../wire/dialect.ts'
import type { GuardsOfCall } from './guards-of-call.ts'
import { type TextUnit, TextUnits } from './text-units.ts'

/** Looks at texts of an answer, and puts back what placeholders stand for: after that, for guards look at what the model has said. */
export async function lookAtAnswer(guards: GuardsOfCall, units: readonly TextUnit[]): Promise<void> {
  guards.look('output', units)
  await guards.examine('output', units)
  const { placeholders } = guards
  if (placeholders.isEmpty) return
  // Thoughts are signed, and go back to their vendor.
  for (const unit of units) if (!unit.isFixed && unit.place !== 'thought') unit.text = placeholders.restore(unit.text)
}

export function answerUnits(dialect: Pick<Dialect, 'shownTexts' | 'carriedTexts'>, body: JsonObject): TextUnits {
  const units = new TextUnits()
  for (const { holder, field } of dialect.shownTexts(body, '')) units.add('answer', holder, field)
  for (const { kind, holder, field } of dialect.carriedTexts(body, '')) {
    if (kind === 'arguments') units.addJson('tool_call', holder, field)
    else units.add('thought', holder, field)
  }
  return units
}
