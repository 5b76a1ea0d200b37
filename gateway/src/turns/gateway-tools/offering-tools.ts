/** Puts the gateway's own tools into the offer of a conversation they are of use in, unless its client offers them already. */
import type { ModelCall } from '../call.ts'
import { editOffer } from '../deciding/editing-offer.ts'
import { gatewayTools } from './gateway-tools.ts'

export function offerGatewayTools(call: ModelCall): void {
  // Several choices would be several answers to wait for, and a side request of a client has no tools.
  if (call.side !== undefined || call.view.choices !== 1) return
  const useful = gatewayTools().filter((tool) => tool.isOfUse(call))
  if (useful.length === 0) return
  const offered = new Set(call.view.tools.flatMap(({ name }) => call.meanings.ofName(name).map((tool) => tool.name)))
  const added = useful.map(({ definition }) => definition).filter(({ name }) => !offered.has(name))
  if (added.length > 0) editOffer(call, (fields) => call.dialect.edit.addTools(fields, added))
}
