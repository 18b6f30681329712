// The last step of the first run: something plays.

import { SetupPlay } from '../../../views/pages/setup-play.tsx';
import { emptyForm } from '../../../views/parts/field.tsx';
import { renderPage } from '../../../views/render.ts';
import { signerOf } from '../../access/signed-addresses.ts';
import { PATH_LENGTH_MAX } from '../../limits.ts';
import { qrCodeOf } from '../qr-code.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { addSetupStep } from '../setup-step.ts';
import type { WebContext } from '../web-environment.ts';

type Services = Pick<WebServices, 'setup' | 'sources' | 'streamAddresses' | 'findAddresses'>;

export function addSetupPlay(routes: Routes, { setup, sources, streamAddresses, findAddresses }: Services): void {
  addSetupStep(routes, setup, {
    name: 'play',
    title: 'Play',
    settledBy: () => null,
    show: async (context, frame) => {
      const known = await sources.list();
      const source = known.find(({ name }) => name === context.req.query('source')) ?? known[0];
      const chosen = context.req.query('file')?.trim() ?? '';
      const isTooLong = chosen.length > PATH_LENGTH_MAX;
      const stream = source === undefined || chosen === '' || isTooLong ? null : streamOf(context, source.name, chosen);
      const form = isTooLong ? { typed: {}, errors: { file: 'This is longer than any path.' } } : emptyForm;
      return context.html(
        renderPage(
          <SetupPlay
            {...frame}
            sourceNames={known.map(({ name }) => name)}
            source={source?.name ?? ''}
            file={chosen === '' || isTooLong ? (source?.lastTest?.file ?? '') : chosen}
            form={form}
            stream={stream}
          />,
        ),
      );
    },
    // Whatever was played: this was the last thing to be asked.
    take: () => Promise.resolve(null),
  });

  function streamOf(context: WebContext, source: string, file: string) {
    const path = streamAddresses.pathOf(source, file.replace(/^\/+/, ''), signerOf(context.var.caller));
    const { serverAddress } = context.var.page;
    const base = findAddresses(serverAddress)[0]?.url ?? serverAddress;
    return { path, address: base + path, qr: qrCodeOf(base + path) };
  }
}
