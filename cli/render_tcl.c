/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * render_tcl.c - a model as what a script works with: a dict
 *
 * A record's Tcl value remembers its model, so that `puts [map ring]` shows the
 * picture and `dict get [map ring] slabs` the data.
 */
#include <string.h>

#include "output.h"

static Tcl_Obj *value_object(const struct value *v)
{
	const struct value *c;
	char buf[64];
	Tcl_Obj *o;

	if (v->is_unknown)
		return Tcl_NewStringObj("unknown", -1);
	switch (v->kind) {
	case KIND_RECORD:
		o = Tcl_NewDictObj();
		for (c = v->child; c; c = c->next) {
			if (c->field->how & FIELD_PEOPLE)
				continue;
			Tcl_DictObjPut(NULL, o,
				       Tcl_NewStringObj(c->field->name, -1),
				       value_object(c));
		}
		return o;
	case KIND_TABLE:
	case KIND_LIST:
	case KIND_CHAIN:
		o = Tcl_NewListObj(0, NULL);
		for (c = v->child; c; c = c->next)
			Tcl_ListObjAppendElement(NULL, o, value_object(c));
		return o;
	case KIND_FLAG:
		return Tcl_NewIntObj(v->flag);
	case KIND_NUMBER:
		return Tcl_NewWideIntObj(v->signed_number);
	case KIND_COUNT:
	case KIND_BYTES:
	case KIND_PERCENT:
	case KIND_JIFFIES:
		if (v->number <= INT64_MAX)
			return Tcl_NewWideIntObj((Tcl_WideInt)v->number);
		break;
	default:
		break;
	}
	return Tcl_NewStringObj(value_text(v, buf, sizeof(buf)), -1);
}

Tcl_Obj *render_tcl(const struct model *m)
{
	return value_object(m->root);
}

static void free_model(Tcl_Obj *o)
{
	model_put(o->internalRep.twoPtrValue.ptr1);
	o->typePtr = NULL;
}

static void duplicate_model(Tcl_Obj *from, Tcl_Obj *to);

static void update_string(Tcl_Obj *o)
{
	Tcl_Obj *dict = render_tcl(o->internalRep.twoPtrValue.ptr1);
	int length;
	const char *text;

	Tcl_IncrRefCount(dict);
	text = Tcl_GetStringFromObj(dict, &length);
	o->bytes = Tcl_Alloc((unsigned int)length + 1);
	memcpy(o->bytes, text, (size_t)length + 1);
	o->length = length;
	Tcl_DecrRefCount(dict);
}

static const Tcl_ObjType model_type = {
	"slabctl-model", free_model, duplicate_model, update_string, NULL,
};

static void duplicate_model(Tcl_Obj *from, Tcl_Obj *to)
{
	to->internalRep.twoPtrValue.ptr1 =
		model_get(from->internalRep.twoPtrValue.ptr1);
	to->typePtr = &model_type;
}

Tcl_Obj *model_object(struct model *m)
{
	Tcl_Obj *o;

	if (m->root->kind != KIND_RECORD)
		return render_tcl(m);
	o = Tcl_NewObj();
	Tcl_InvalidateStringRep(o);
	o->internalRep.twoPtrValue.ptr1 = model_get(m);
	o->typePtr = &model_type;
	return o;
}

const struct model *object_model(Tcl_Obj *object)
{
	return object->typePtr == &model_type
		       ? object->internalRep.twoPtrValue.ptr1
		       : NULL;
}
