// A receiver as Express and better-sqlite3 make it: the signature is checked over the bytes as they came, each delivery is on disk
// before it is answered, and an id that comes again is found. Arguments: the database. Prints its port.
import { createHmac, timingSafeEqual } from 'node:crypto'
import Database from 'better-sqlite3'
import express from 'express'

const db = new Database(process.argv[2])
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec('CREATE TABLE deliveries (id TEXT PRIMARY KEY, received_at INTEGER, headers TEXT, body BLOB)')
const insert = db.prepare('INSERT INTO deliveries VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')

const isSigned = (body, signature) => {
  const expected = createHmac('sha256', process.env.SECRET).update(body).digest()
  const got = Buffer.from(signature ?? '', 'hex')
  return got.length === expected.length && timingSafeEqual(got, expected)
}

const app = express()
app.post('/webhook/tagorun', express.raw({ type: 'application/json' }), (request, response) => {
  if (!isSigned(request.body, request.get('X-TagoRUN-Signature'))) {
    return response.status(401).json({ error: 'Invalid signature' })
  }
  const event = JSON.parse(request.body)
  const { changes } = insert.run(event.id, Date.now(), JSON.stringify(request.rawHeaders), request.body)
  response.json({ status: changes === 1 ? 'processed' : 'already_processed' })
})
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
