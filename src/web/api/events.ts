// What happened: as a stream while it happens, and looked through afterwards; and the last lines of the log.
import { createRoute, z } from '@hono/zod-openapi';
import type { SSEStreamingApi } from 'hono/streaming';
import type { EventRow } from '../../db/events.ts';
import { LarderError } from '../../errors.ts';
import { LIVE_HEARTBEAT_MS } from '../../limits.ts';
import type { LogLine } from '../../upkeep/log-ring.ts';
import { answerEvents } from '../event-stream.ts';
import { LiveSlots } from '../live-slots.ts';
import { parseId } from '../parse-id.ts';
import type { WebServices } from '../services.ts';
import type { ApiRoutes } from './api.ts';
import { jsonAnswer, listOf, pagingQuery } from './paging.ts';

const eventSchema = z
  .object({
    id: z.number().int(),
    at: z.number().int(),
    kind: z.string().openapi({ example: 'evicted' }),
    subject: z.string(),
    severity: z.enum(['info', 'warning', 'error']),
    text: z.string(),
  })
  .openapi('Event');

const lineSchema = z
  .object({
    id: z.number().int(),
    at: z.number().int(),
    level: z.enum(['debug', 'info', 'warning', 'error']),
    part: z.string().nullable(),
    message: z.string(),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .openapi('LogLine');

const idCursor = z.coerce.number().int().positive().optional().openapi({ description: '`next` of the page before' });
const word = z.string().min(1).max(200).optional();

const listEvents = createRoute({
  method: 'get',
  path: '/events/log',
  summary: 'What happened and why',
  request: {
    query: pagingQuery.extend({
      cursor: idCursor,
      kind: word,
      subject: word,
      severity: z.enum(['info', 'warning', 'error']).optional(),
      q: word.openapi({ description: 'In the text or the subject' }),
    }),
  },
  responses: { 200: jsonAnswer('Newest first', listOf(eventSchema)) },
});

const listLines = createRoute({
  method: 'get',
  path: '/log',
  summary: 'The last lines of the log',
  request: {
    query: pagingQuery.extend({
      cursor: idCursor,
      level: z.enum(['debug', 'info', 'warning', 'error']).optional().openapi({ description: 'And what is worse' }),
      part: word,
      q: word,
    }),
  },
  responses: { 200: jsonAnswer('Newest first', listOf(lineSchema)) },
});

const streamEvents = createRoute({
  method: 'get',
  path: '/events',
  summary: 'What happens, as Server-Sent Events',
  request: { headers: z.object({ 'last-event-id': z.string().optional() }) },
  responses: {
    200: {
      description: 'Events named `event`, each with its id; `Last-Event-ID` brings what was missed',
      content: { 'text/event-stream': { schema: z.string() } },
    },
  },
});

/** Who comes back after longer than this has missed something and looks through the list. */
const REPLAYED_MAX = 200;
/** A listener that takes nothing is cut when so much waits for it; it comes back with its last id. */
const WAITING_MAX = 500;

type EventServices = Pick<WebServices, 'events' | 'logRing' | 'clock' | 'access'>;

export function addEventRoutes(api: ApiRoutes, { events, logRing, clock, access }: EventServices): void {
  const slots = new LiveSlots();

  api.route(listEvents, 'owner', async (context) => {
    const { limit, cursor, kind, subject, severity, q } = context.req.valid('query');
    const rows = await events.list({ kind, subject, severity, text: q }, limit + 1, cursor ?? null);
    const items = rows.slice(0, limit);
    return context.json({ items, next: rows.length > limit ? String(items.at(-1)!.id) : null }, 200);
  });

  api.route(listLines, 'owner', (context) => {
    const { limit, cursor, level, part, q } = context.req.valid('query');
    const lines = logRing.list({ level, part, text: q }, limit + 1, cursor ?? null);
    const shown = lines.slice(0, limit);
    const next = lines.length > limit ? String(shown.at(-1)!.id) : null;
    return context.json({ items: shown.map(describeLine), next }, 200);
  });

  api.route(streamEvents, 'owner', (context) => {
    const { caller } = context.var;
    if (!slots.hasRoomFor(caller)) {
      const hint = 'close some that nobody reads any more';
      throw new LarderError('overloaded', 'too many event streams are open', { retryAfterMs: 30_000, hint });
    }
    const lastId = parseId(context.req.valid('header')['last-event-id']);
    const write = async (stream: SSEStreamingApi, gone: AbortSignal) => {
      const waiting: EventRow[] = [];
      let wake = Promise.withResolvers<void>();
      let isOpen = true;
      const close = () => {
        isOpen = false;
        wake.resolve();
      };
      const end = events.listen((event) => {
        waiting.push(event);
        if (waiting.length > WAITING_MAX) close();
        else wake.resolve();
      });
      gone.addEventListener('abort', close, { once: true });
      if (gone.aborted) close();
      // A token that is revoked meanwhile hears no more.
      const unwatch = access.control.watch(caller, close);
      const heartbeat = clock.every(LIVE_HEARTBEAT_MS, () => wake.resolve());
      try {
        let sentId = lastId ?? events.newestId;
        if (lastId !== null) {
          const missed = await events.list({}, REPLAYED_MAX, null);
          waiting.unshift(...missed.filter((event) => event.id > lastId).reverse());
        }
        await stream.write(': listening\n\n');
        while (isOpen) {
          const batch = waiting.splice(0);
          for (const event of batch) {
            // What came while the missed ones were looked up is in both.
            if (event.id <= sentId) continue;
            sentId = event.id;
            await stream.writeSSE({ event: 'event', id: String(event.id), data: JSON.stringify(event) });
          }
          if (batch.length === 0) await stream.write(': still here\n\n');
          if (waiting.length === 0) {
            await wake.promise;
            wake = Promise.withResolvers();
          }
        }
      } finally {
        heartbeat.cancel();
        unwatch();
        end();
      }
    };
    return answerEvents(context, write, () => slots.take(caller)) as never;
  });
}

function describeLine({ id, atMs, level, part, message, fields }: LogLine): z.infer<typeof lineSchema> {
  return { id, at: atMs, level, part, message, fields: { ...fields } };
}
