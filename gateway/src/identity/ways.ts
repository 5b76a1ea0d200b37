/** The table of the ways to authenticate. A new way is a folder and a line here. */
import { createKeyWay, type KeyWayOptions } from './ways/key/key-way.ts'
import type { Way } from './ways/way.ts'

export type WayOptions = KeyWayOptions

/** Every way, in the order they are tried. */
export function createWays(options: WayOptions): readonly Way[] {
  return [createKeyWay(options)]
}
