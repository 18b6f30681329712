import { Layout } from '../layout.tsx';
import { navigationOf } from '../navigation.ts';
import type { PageContext } from '../page-context.ts';
import { Icon } from '../parts/icon.tsx';

/** Every page as a list: what "More" in the bar of a small screen leads to. */
export function MorePage({ page }: { page: PageContext }) {
  return (
    <Layout page={page} title="All pages" section="/more">
      <h1>All pages</h1>
      <ul class="rows panel page-list">
        {navigationOf(page).map(({ path, label, icon }) => (
          <li>
            <a href={`${page.basePath}${path}`}>
              <Icon page={page} name={icon} /> {label}
            </a>
          </li>
        ))}
      </ul>
    </Layout>
  );
}
