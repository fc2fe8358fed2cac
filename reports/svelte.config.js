/**
 * Evidence puts a viewer of its SQL queries on every page. Nobody here uses it, and it would pull the
 * whole component library (2 MB of script for each reader, half the build time) into every page.
 */
const withoutQueryViewer = {
	markup({ content, filename }) {
		if (!filename?.endsWith('.md')) return;
		const code = content
			.replace(/\{#if \w+ ?\}\s*<QueryViewer\b[^>]*\/>\s*\{\/if\}/g, '')
			.replace(/import\s*\{\s*QueryViewer\s*\}\s*from\s*['"]@evidence-dev\/core-components['"];?/g, '');
		return { code };
	}
};

// Evidence reads this object twice, for server and browser, and deletes `preprocess` from it the first
// time. An inherited property survives that; not being enumerable, it is not merged a second time either.
const lasting = Object.create(Object.prototype, { preprocess: { value: [withoutQueryViewer] } });

export default Object.assign(Object.create(lasting), {
	// Evidence would name the build after the clock, and no two builds would be alike.
	kit: { version: { name: process.env.IPSO_SITE_VERSION ?? 'entwurf' } }
});
