/** Tells by its tools which server one is, so that a pack can be proposed for it. It proposes only; an administrator says. */
import { serverPackNames, type ServerPackName } from '@turnward/contract/config/packs'
import { packs } from './packs.ts'

/** Share of the tools a pack must know: another server may have a `search` or `get_issue` too. */
const enough = 0.6

/** The packs that are made for a package, an image or an address that one of these texts names. */
export function packsForPackage(texts: readonly string[]): readonly ServerPackName[] {
  return serverPackNames.filter((pack) => {
    const name = packs[pack].of?.split(' ').at(-1) ?? ''
    return texts.some((text) => namesPackage(text, name))
  })
}

function namesPackage(text: string, name: string): boolean {
  const at = name === '' ? -1 : text.indexOf(name)
  if (at === -1) return false
  const [before, after] = [text.slice(0, at), text.slice(at + name.length)]
  // Neither a part of a longer name, nor of the same name in the scope of somebody else.
  return !/[\w@-]$|@[\w.-]+\/$/.test(before) && !/^[\w-]/.test(after)
}

/** The pack that knows most of these tools, and most of them; undefined when none does. */
export function packForServer(tools: readonly string[]): ServerPackName | undefined {
  const known = serverPackNames.map((pack) => ({ pack, count: tools.filter((tool) => Object.hasOwn(packs[pack].contracts, tool)).length }))
  const best = known.reduce((one, other) => (other.count > one.count ? other : one))
  return best.count > 0 && best.count >= tools.length * enough ? best.pack : undefined
}
