/**
 * What a server tells by itself, no more often than anybody can use: listing it again, and telling every client, costs far more
 * than saying that something has changed. Nothing is lost by that: what is said too often is said once a little later.
 */
import type { Clock } from '../../core/clock.ts'
import type { ConnectorEvents } from '../connectors/exchange.ts'
import { LatestInTime, Pace } from '../pace.ts'

const listRate = { burst: 5, perSecond: 1 }
const resourceRate = { burst: 20, perSecond: 5 }
/** Resources that wait to be told of; as many of one server are watched at most. */
const mostResources = 1000

export function pacedEvents(events: ConnectorEvents, clock: Clock): ConnectorEvents {
  const { onListChanged, onResourceUpdated } = events
  const lists = new LatestInTime<undefined>(new Pace(clock, listRate), () => onListChanged())
  if (onResourceUpdated === undefined) return { onListChanged: () => lists.offer(undefined) }
  const changed = new Set<string>()
  const resources = new LatestInTime<undefined>(new Pace(clock, resourceRate), () => {
    const uris = [...changed]
    changed.clear()
    for (const uri of uris) onResourceUpdated(uri)
  })
  return {
    onListChanged: () => lists.offer(undefined),
    onResourceUpdated(uri) {
      if (changed.size < mostResources) changed.add(uri)
      resources.offer(undefined)
    },
  }
}
