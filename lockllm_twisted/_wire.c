/* Header lines once more, in C, for where a compiler is at hand.

   Responsible for: `fields`, which reads a block of header lines as `wire.header_lines` and `wire.Fields` do, to the byte.
   Must never: take a line that these refuse, or refuse one that they take (tests/test_wire.py); read past the block.

   What a header line is, and why, stands in wire.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

enum { NAME = 1, VALUE = 2 };

static unsigned char kinds[256];

static void kinds_init(void) {
    for (int sign = 0; sign < 256; sign++) kinds[sign] = (sign >= ' ' && sign != 127) || sign == '\t' ? VALUE : 0;
    for (int sign = 'a'; sign <= 'z'; sign++) kinds[sign] |= NAME, kinds[sign - 'a' + 'A'] |= NAME;
    for (const char *sign = "!#$%&'*+-.^_`|~0123456789"; *sign; sign++) kinds[(int)*sign] |= NAME;
}

/* The name in lower case: the same object where it is that already. */
static PyObject *lowered(PyObject *name) {
    const char *from = PyBytes_AS_STRING(name);
    const Py_ssize_t size = PyBytes_GET_SIZE(name);
    Py_ssize_t at = 0;
    while (at < size && !(from[at] >= 'A' && from[at] <= 'Z')) at++;
    if (at == size) return Py_NewRef(name);
    PyObject *lower = PyBytes_FromStringAndSize(NULL, size); /* never a copy of ``from``: a single byte is shared by the whole process */
    if (lower == NULL) return NULL;
    char *to = PyBytes_AS_STRING(lower);
    for (at = 0; at < size; at++) to[at] = (char)(from[at] >= 'A' && from[at] <= 'Z' ? from[at] | 0x20 : from[at]);
    return lower;
}

/* A field more. Returns 1 where its name came before, -1 with an exception. */
static int add(PyObject *pairs, PyObject *names, PyObject *named, PyObject *name, PyObject *value) {
    PyObject *pair = NULL, *lower = NULL, *alone = NULL, *there = NULL;
    int result = -1;
    if (name != NULL && value != NULL && (pair = PyTuple_Pack(2, name, value)) != NULL && (lower = lowered(name)) != NULL &&
        (alone = PyTuple_Pack(1, value)) != NULL && PyList_Append(pairs, pair) == 0 && PyList_Append(names, lower) == 0 &&
        (there = PyDict_SetDefault(named, lower, alone)) != NULL)
        result = there != alone;
    Py_XDECREF(name);
    Py_XDECREF(value);
    Py_XDECREF(pair);
    Py_XDECREF(lower);
    Py_XDECREF(alone);
    return result;
}

/* The values by name, as lists, where a name came twice. */
static PyObject *several(PyObject *pairs, PyObject *names) {
    PyObject *named = PyDict_New();
    for (Py_ssize_t at = 0; named != NULL && at < PyList_GET_SIZE(names); at++) {
        PyObject *empty = PyList_New(0);
        PyObject *values = empty == NULL ? NULL : PyDict_SetDefault(named, PyList_GET_ITEM(names, at), empty);
        Py_XDECREF(empty);
        if (values == NULL || PyList_Append(values, PyTuple_GET_ITEM(PyList_GET_ITEM(pairs, at), 1)) < 0) Py_CLEAR(named);
    }
    return named;
}

/* Returns 0, 1 where a name came twice, 2 for a malformed line, -1 with an exception. */
static int read_lines(const char *text, Py_ssize_t size, PyObject *pairs, PyObject *names, PyObject *named) {
    int twice = 0;
    for (Py_ssize_t at = 0; at < size;) {
        const Py_ssize_t name = at;
        while (at < size && kinds[(unsigned char)text[at]] & NAME) at++;
        const Py_ssize_t colon = at;
        if (colon == name || at == size || text[at] != ':') return 2;
        at++;
        while (at < size && (text[at] == ' ' || text[at] == '\t')) at++;
        const Py_ssize_t value = at;
        while (at < size && kinds[(unsigned char)text[at]] & VALUE) at++;
        Py_ssize_t end = at;
        if (size - at < 2 || text[at] != '\r' || text[at + 1] != '\n') return 2;
        at += 2;
        while (end > value && (text[end - 1] == ' ' || text[end - 1] == '\t')) end--;
        const int added = add(pairs, names, named, PyBytes_FromStringAndSize(text + name, colon - name),
                              PyBytes_FromStringAndSize(text + value, end - value));
        if (added < 0) return -1;
        twice |= added;
    }
    return twice;
}

static PyObject *fields(PyObject *module, PyObject *block) {
    (void)module;
    if (!PyBytes_Check(block)) {
        PyErr_SetString(PyExc_TypeError, "header lines are bytes");
        return NULL;
    }
    PyObject *pairs = PyList_New(0), *names = PyList_New(0), *named = PyDict_New(), *result = NULL;
    if (pairs != NULL && names != NULL && named != NULL) {
        const int found = read_lines(PyBytes_AS_STRING(block), PyBytes_GET_SIZE(block), pairs, names, named);
        if (found == 1) Py_SETREF(named, several(pairs, names));
        if (found == 2) result = Py_NewRef(Py_None);
        else if (found >= 0 && named != NULL) result = PyTuple_Pack(3, pairs, names, named);
    }
    Py_XDECREF(pairs);
    Py_XDECREF(names);
    Py_XDECREF(named);
    return result;
}

static PyMethodDef methods[] = {
    {"fields", fields, METH_O, "The pairs, lower-case names and values by name of header lines; None where one is malformed."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_wire", .m_doc = "Header lines, compiled.", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__wire(void) {
    kinds_init();
    return PyModule_Create(&module);
}
