/** A hundred slow clients at once: each is ended in time, and honest traffic is served meanwhile. A thousand are in `slow-clients.slow.ts`. */
import { afterAll, beforeAll, test } from 'vitest'
import { askSlowly, readNothing, slowRequests, startPatientGateway, type PatientGateway } from './slow-client-suite.ts'

let patient: PatientGateway
beforeAll(async () => {
  patient = await startPatientGateway(128)
})
afterAll(() => patient?.[Symbol.asyncDispose]())

// All ways at once: a thousand connections, as they would come.
test.concurrent.each(Object.entries(slowRequests))('100 clients that %s', async (_way, slowness) => {
  await askSlowly(patient, slowness, 100)
})

test('100 clients that read nothing cost the gateway no more than their buffers', async () => {
  await readNothing(patient, 100, 60)
})

test('clients that read nothing do not take every connection to the vendor for themselves', async () => {
  await using narrow = await startPatientGateway(8)
  await readNothing(narrow, 8, 60)
})
